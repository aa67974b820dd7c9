"""Random conditions on several stations, with limits that the values of a case reach."""

from typing import TYPE_CHECKING

from shared.model.beside import Beside
from shared.model.rule import Across, Balance, Comparison, Composite, Group, Level, number_text
from shared.model.severity import Severity
from tests.reference.derived_cases import SCALE

if TYPE_CHECKING:
    from tests.reference.cases import Generator

GROUPED = ("across", "across", "across", "beside", "beside", "balance", "composite", "composite")
FLOWS = ("mw.disposed_t", "mw.generated_t", "mw.backlog_t")


def grouped(g: "Generator", kind: str) -> tuple[Group, tuple[Level, ...]]:
    if kind == "composite":
        return composite(g)
    grace = g.random.choice([0, 0, 1, 2, 5]) * g.grid
    if kind == "balance":
        return balance(g, grace)
    if kind == "beside":
        return beside(g, grace)
    code = g.random.choice(g.codes)
    unit = g.unit(code)
    scale = SCALE.get(unit, 1.0)
    of = g.random.choice(["sum", "mean", "max", "min", "share", "count"])
    complete = g.random.choice([0.1, 0.5, 0.67, 0.75, 1.0, 1.0, 2.0, 3.0])
    than = None
    if of in ("share", "count"):
        than = g.comparison(g.random.choice([">", ">=", "<", "<="]), 4.9 * scale)
        levels = counted(g, 50.0 if of == "share" else 1.0)
    else:
        levels = g.levels(scale * g.random.choice([0.7, 1.0]), g.random.random() < 0.7)
    return Across(code, g.interval, of, than, complete, grace, unit), levels


def beside(g: "Generator", grace: int) -> tuple[Beside, tuple[Level, ...]]:
    """With one neighbour already: cases have few stations, and few days."""
    code = g.random.choice(g.codes)
    unit = g.unit(code)
    is_share = g.random.random() < 0.6
    day_us = 86_400_000_000
    condition = Beside(
        code, g.interval, "share" if is_share else "difference",
        g.random.choice([1, 2, 5]) if is_share else 1,
        g.random.choice([7, 9, 28] if is_share else [1, 42]) * day_us,
        g.random.choice([0.0, 0.5]) * SCALE.get(unit, 1.0),
        g.random.choice([1, 1, 2]), g.random.choice(["both", "high", "low"]), grace, unit,
    )  # fmt: skip
    return condition, counted(g, 10.0 if is_share else 1.0)


def composite(g: "Generator") -> tuple[Composite, tuple[Level, ...]]:
    """Of rules that exist, that will, and that never do; only of lower numbers, so no circle."""
    among = [f"rule-{n}" for n in range(g.number)] or ["rule-9"]
    names = tuple(g.random.sample(among, g.random.randint(1, len(among))))
    first = g.random.randint(1, len(names))
    levels = [Level(Severity.BLUE, Comparison(">=", float(first), f">= {first}"))]
    if first < len(names):
        levels.append(Level(Severity.RED, Comparison(">", float(first), f"> {first}")))
    return Composite(names), tuple(levels)


def balance(g: "Generator", grace: int) -> tuple[Balance, tuple[Level, ...]]:
    """A case keeps to its columns then, or too few slots would be whole."""
    ins = tuple(g.random.sample(FLOWS, g.random.choice([1, 1, 2])))
    outs = tuple(g.random.sample([name for name in FLOWS if name not in ins], 1))
    g.codes = [*ins, *outs]
    percent = g.random.random() < 0.7
    flows = Balance(ins, outs, g.interval, grace, "%" if percent else None)
    sign = g.random.choice([1, -1])
    return flows, g.levels((10 if percent else 0.1) * sign, g.random.random() < 0.8)


def counted(g: "Generator", one: float) -> tuple[Level, ...]:
    op = g.random.choice([">", ">=", "<"])
    levels = [Level(Severity.BLUE, Comparison(op, one, f"{op} {number_text(one)}"))]
    if op != "<" and g.random.random() < 0.5:
        levels.append(Level(Severity.RED, Comparison(">=", 2 * one, f">= {number_text(2 * one)}")))
    return tuple(levels)
