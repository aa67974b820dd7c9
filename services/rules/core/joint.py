"""Joint: conditions that make one value of several indicators of one station and slot."""

from typing import assert_never

from services.rules.core import clearing, index, limited, ratio
from services.rules.core.ratio import Components, Quality
from shared.model.rule import Index, Joint, Limited, Ratio
from shared.model.timed import TimeToClear


def result(
    condition: Joint, components: Components, capacity: float | None
) -> tuple[Quality, float | None]:
    """What a slot is by the (value, flag) of the components it has so far."""
    match condition:
        case Ratio():
            return ratio.result(condition, components, capacity)
        case Index():
            return index.result(condition, components)
        case Limited():
            return limited.result(condition, components)
        case TimeToClear():
            return clearing.result(condition, components, capacity)
        case _:
            assert_never(condition)


def is_final(condition: Joint, quality: Quality) -> bool:
    """Is a slot not judged again when a further component comes? A partial index is."""
    return quality == "known" or (quality == "over" and not isinstance(condition, Index))
