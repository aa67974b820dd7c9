"""docs/packs.md, every number of every shipped pack: `python -m shared.config.packs_page --write`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from shared.config import catalogue
from shared.config.load import shipped_packs
from shared.config.schema.conditions import ConditionModel
from shared.config.schema.rules import PackFile, RuleModel
from shared.config.timed_words import judged_words, shown_words

PAGE = Path(__file__).parents[2] / "docs" / "packs.md"
_HEAD = """\
# Rule packs

Made from `shared/config/packs` by `python -m shared.config.packs_page --write`; do not edit.

A pack is switched on in `rules.yaml`, as `packs: [NAME, …]`, and judges the facilities whose kind, point and attributes it names.
A facility without the attribute that a rule asks for is not judged by that rule.
Editions are chosen by the time of the reading, not by the day it is judged.

- **verified**: the number was read in the standard, or in two copies of it that agree.
- **product default**: chosen by us, or known to the trade and not read in the standard. No text to an official calls it a limit of the standard.
- Severities, delays and deadbands are product defaults throughout.
- Units are converted inside one kind (g, mg, µg, ng per litre; the same per m³ of air; t, kg, g) and refused between kinds, so a limit in mg/L also judges a station that reports µg/L.
- `day` is the value the station reports for the day; *mean of* is made here from its shorter values ([average](conditions/average.md), [decision 0046](decisions/0046-where-a-mean-is-made.md)).
"""


def page() -> str:
    """The whole page."""
    packs = shipped_packs()
    text = _HEAD + "\n| pack | about | rules | verified |\n|---|---|---|---|\n"
    for name, pack in packs.items():
        verified = sum(rule.basis.status == "verified" for rule in pack.rules)
        text += f"| [{name}](#{name}) | {pack.title.en} | {len(pack.rules)} | {verified} |\n"
    return text + "".join(part for name, pack in packs.items() for part in _pack(name, pack))


def _pack(name: str, pack: PackFile) -> Iterator[str]:
    yield f"\n## {name}\n\n{pack.title.en} ({pack.title.zh}).\n\n{pack.about.strip()}\n\n"
    units = {code: row.unit for code, row in catalogue.shipped().items()}
    units |= {code: row.unit for code, row in pack.indicators.items()}
    if pack.absent:
        yield "Absent, and why:\n\n" + "".join(f"- {line.strip()}\n" for line in pack.absent) + "\n"
    yield "| rule | what | applies to | number | value judged | source | from | until | status |\n"
    yield "|---|---|---|---|---|---|---|---|---|\n"
    for rule in pack.rules:
        yield "| " + " | ".join(_cells(rule, units)) + " |\n"


def _cells(rule: RuleModel, units: dict[str, str]) -> list[str]:
    basis, applies = rule.basis, rule.applies
    title = rule.title.zh if rule.title else rule.id
    where = [applies.kind or "any", *([f"point {applies.point}"] if applies.point else [])]
    where += [f"{key} {value}" for key, value in applies.attributes.items()]
    source = basis.standard
    if basis.clause != "-":
        source += f", {basis.clause}"
    number, judged = _number(rule, units), _judged(rule.condition)
    if rule.for_:
        judged += f", for {rule.for_ // 60_000_000} min"
    end = str(basis.valid_to) if basis.valid_to else ""
    row = [rule.id, title, ", ".join(where), number, judged, source]
    return [*row, str(basis.valid_from), end, basis.status]


def _number(rule: RuleModel, units: dict[str, str]) -> str:
    """The limits, each with its unit; a ladder with its severities."""
    band = rule.condition.range
    if band:
        return f"{band.low:g} to {band.high:g} {_unit(rule.condition, units)}".strip()
    unit = _unit(rule.condition, units)
    limited = rule.condition.limited
    if limited:
        own = limited.unit or units[limited.indicator]
        each = (f"{test.limit:g} {own} where {limited.by} {test.when}" for test in limited.limits)
        unit = f"% of {', '.join(each)}"
    parts = [f"{level.raise_} {unit}".strip() if level.raise_ else "none" for level in rule.levels]
    if len(parts) == 1:
        return parts[0]
    ladder = zip(parts, rule.levels, strict=True)
    return ", ".join(f"{text} {level.severity.value}" for text, level in ladder)


def _unit(condition: ConditionModel, units: dict[str, str]) -> str:
    if condition.ratio:
        return condition.ratio.unit or ""
    if (timed := shown_words(condition)) is not None:
        return timed
    measured = condition.threshold or condition.range or condition.average
    if measured is None:
        return ""
    unit = measured.unit or units[measured.indicator]
    return "" if unit == "1" else unit


def _judged(condition: ConditionModel) -> str:
    """Which value of which indicator."""
    if condition.ratio:
        ratio = condition.ratio
        return f"({' + '.join(ratio.of)}) / {ratio.over}, {ratio.interval}"
    if condition.index:
        return f"AQI by {condition.index.table}, {condition.index.interval}"
    if condition.limited:
        limited = condition.limited
        return f"{limited.indicator} with {limited.by}, {limited.interval}"
    if condition.average:
        mean = condition.average
        whole = f"complete {mean.complete:g}"
        return f"{mean.indicator}, mean of {mean.interval} over {mean.over}, {whole}"
    if (timed := judged_words(condition)) is not None:
        return timed
    measured = condition.threshold or condition.range
    assert measured is not None, "a pack with a condition that its page cannot describe"
    return f"{measured.indicator}, {measured.interval}"


def main() -> int:
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        text = "docs/packs.md is not current; run python -m shared.config.packs_page --write"
        print(text, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
