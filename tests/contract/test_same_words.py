"""The same cases say the same words through every log, byte for byte, however they are cut.

CASES=10000 pytest -rP tests/contract/test_same_words.py
"""

import os
from random import Random
from zoneinfo import ZoneInfo

import pytest

from services.rules.core.engine import Engine
from shared.log.port import REPORTS, Log, Position
from shared.model.alert import decode_alert, encode_alert
from shared.model.report import Record, decode_envelope, encode_envelope
from tests.reference.cases import Case, make_case
from tests.reference.compare import bare
from tests.reference.evaluator import evaluate
from tests.reference.rollup_cases import make_province
from tests.reference.rollups import evaluate_rolled

UTC = ZoneInfo("UTC")
CASES = int(os.environ.get("CASES", "100"))


def appended(log: Log, case: Case, random: Random) -> tuple[Position, Position]:
    """(where the case begins, where it ends), in envelopes and appends of any size."""
    rest: list[Record] = list(case.records)
    begin, envelopes = log.end(REPORTS, 0), []
    while rest:
        size = random.randint(1, 40)
        envelopes.append(("k", encode_envelope(rest[:size])))
        rest = rest[size:]
    half = random.randint(0, len(envelopes))
    for some in (envelopes[:half], envelopes[half:]):
        if some:
            log.append(REPORTS, some)
    return begin, log.end(REPORTS, 0)


def said(log: Log, case: Case, begin: Position, end: Position, random: Random) -> list[bytes]:
    engine = Engine(case.bundles.__getitem__)
    found: list[bytes] = []
    position = begin
    while position < end:
        batch = log.read(REPORTS, 0, position, random.randint(1, 9))
        for entry in batch.entries:
            if entry.position < end:
                found += [
                    encode_alert(bare(t), UTC) for t in engine.apply(decode_envelope(entry.value))
                ]
        assert batch.next > position
        position = batch.next
    return found


@pytest.mark.timeout(3600)
def test_every_log_says_what_the_reference_says(log: Log) -> None:
    transitions = 0
    for seed in range(CASES):
        case, random = make_case(seed), Random(seed)
        begin, end = appended(log, case, random)
        expected = evaluate(case.records, case.bundles)
        found = said(log, case, begin, end, random)
        assert found == [encode_alert(t, UTC) for t in expected], f"seed {seed}"
        transitions += len(found)
    print(f"{CASES} cases, {transitions} transitions")
    assert transitions > 0


@pytest.mark.timeout(3600)
def test_every_log_says_what_a_territory_says(log: Log) -> None:
    """Contributions come back to the engine after the record that caused them, in any batching."""
    transitions = 0
    for seed in range(CASES // 2):
        (bundle, records), random = make_province(seed), Random(seed)
        case = Case({"": bundle}, records)
        begin, end = appended(log, case, random)
        found: dict[str, list[bytes]] = {facility.id: [] for facility in bundle.facilities}
        for word in said(log, case, begin, end, random):
            found[decode_alert(word).facility].append(word)
        expected = evaluate_rolled(records, bundle)
        assert found == {
            facility: [encode_alert(t, UTC) for t in own] for facility, own in expected.items()
        }, f"seed {seed}"
        transitions += sum(map(len, found.values()))
    print(f"{CASES // 2} provinces, {transitions} transitions")
    assert transitions > 0
