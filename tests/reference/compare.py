"""The engine beside the reference: in one piece, and cut at random with restarts between."""

from random import Random

import msgspec

from services.rules.core import state
from services.rules.core.engine import Engine
from shared.model.configuration import Bundle
from shared.model.report import Activate, Record, Report, decode_envelope, encode_envelope
from shared.model.transition import Transition
from tests.reference.cases import Case, make_case
from tests.reference.evaluator import evaluate


class Disagreement(AssertionError):
    """What the two say, from the first difference on."""


def bare(transition: Transition) -> Transition:
    """Without the evidence, which is not part of the public object."""
    return msgspec.structs.replace(
        transition, report_id="", received_us=None, decided_us=None, members=None
    )


def in_one_piece(case: Case) -> list[Transition]:
    engine = Engine(case.bundles.__getitem__)
    return [bare(t) for t in engine.apply(case.records)]


def cut_and_restarted(case: Case, random: Random) -> list[Transition]:
    """Random batches through the wire form; now and then a new engine from saved state.

    Reports are sent twice sometimes, as at-least-once delivery would.
    """
    found: list[Transition] = []
    engine = Engine(case.bundles.__getitem__)
    saved: dict[tuple[str, str], bytes] = {}
    rest = list(case.records)
    while rest:
        size = random.randint(1, 8)
        batch: list[Record] = rest[:size]
        rest = rest[size:]
        if random.random() < 0.3:
            batch += [r for r in batch[-1:] if isinstance(r, Report)]
        found += engine.apply(decode_envelope(encode_envelope(batch)))
        if random.random() < 0.3:
            engine = restarted(engine, saved, case.bundles)
    return [bare(t) for t in found]


def restarted(
    engine: Engine, saved: dict[tuple[str, str], bytes], bundles: dict[str, Bundle]
) -> Engine:
    """A new engine from the checkpoint of the old one, written cell by cell as the worker does."""
    for key in engine.dirty:
        cell = engine.cells.get(key)
        if cell is None:
            saved.pop(key, None)
        else:
            saved[key] = state.save_cell(cell)
    fresh = Engine(bundles.__getitem__)
    state.restore(fresh, state.save_head(engine), saved.values())
    return fresh


def check(seed: int) -> int:
    """Compare one case; returns how many transitions it had.

    Raises:
        Disagreement: with both lists side by side.

    """
    case = make_case(seed)
    expected = evaluate(case.records, case.bundles)
    for name, actual in (
        ("in one piece", in_one_piece(case)),
        ("cut and restarted", cut_and_restarted(case, Random(seed))),
    ):
        if actual != expected:
            raise Disagreement(told(seed, name, case, expected, actual))
    return len(expected)


def told(
    seed: int, name: str, case: Case, expected: list[Transition], actual: list[Transition]
) -> str:
    first = next(
        (n for n, (a, b) in enumerate(zip(expected, actual, strict=False)) if a != b),
        min(len(expected), len(actual)),
    )
    lines = [f"seed {seed}, {name}: transition {first} differs"]
    lines += [f"  expected {t}" for t in expected[first : first + 2]] or ["  expected no more"]
    lines += [f"  engine   {t}" for t in actual[first : first + 2]] or ["  engine says no more"]
    for bundle in case.bundles.values():
        lines += [f"  {rule}" for rule in bundle.rules]
    for number, record in enumerate(case.records):
        shown = record.bundle if isinstance(record, Activate) else record
        lines.append(f"  {number}: {shown}")
    return "\n".join(lines)
