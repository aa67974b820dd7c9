"""Limited: a value in percent of the limit that another indicator of the same slot decides."""

from decimal import Decimal

from services.rules.core.ratio import Components, Quality
from shared.model import numbers, units
from shared.model.report import EVIDENCE_FLAGS
from shared.model.rule import Limited


def result(condition: Limited, components: Components) -> tuple[Quality, float | None]:
    """
    Percent of the first limit whose test holds for `by`.

    Either of the two absent or no evidence, `by` over range, or no test that holds leave it
    unknown; over range in the value itself makes it a lower bound.
    """
    value, flag = components.get(condition.indicator, (0.0, "?"))
    second, second_flag = components.get(condition.by, (0.0, "?"))
    if flag not in EVIDENCE_FLAGS or second_flag not in EVIDENCE_FLAGS or second_flag == "T":
        return "unknown", None
    limit = next((limit for test, limit in condition.limits if test.holds(second)), None)
    if limit is None:
        return "unknown", None
    shown = numbers.exact(units.convert(value, condition.own, condition.unit))
    share = numbers.divide(numbers.multiply(shown, Decimal(100)), numbers.exact(limit))
    return ("over" if flag == "T" else "known"), numbers.rounded(share)
