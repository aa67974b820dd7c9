"""The quick way of reading recorded reports says what the long way says, for any line at all."""

import gzip
import io
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from services.ingest.bodies import decoded, read_items
from services.rules.backtest import backtest, run
from services.rules.given import Note
from services.rules.inputs import read_inputs
from shared.config.load import load
from shared.errors import InputError
from shared.model.configuration import Configuration
from shared.model.report import Report
from shared.reports.candidate import Rejection
from shared.reports.judge import Judge
from shared.reports.parse import parse_report
from shared.reports.plain import plain_report
from shared.reports.quick import Quick
from shared.testing.configs import duty_site


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    site = duty_site(
        Random(3), http_port=1, hj212_port=2, sms_url="http://127.0.0.1:3/x", facilities=3
    )
    places = site.documents["facilities"]
    places["flags"] = [{"id": "odd", "meanings": {"N": "M"}}]
    places["stations"] = [
        {"id": "second", "facility": site.facilities[0].id},
        {"id": "odd", "facility": site.facilities[1].id, "flags": "odd"},
    ]
    return load(site.write(tmp_path_factory.mktemp("quick") / "config"), site.environment)


def long_way(line: bytes, judge: Judge, configuration: Configuration) -> Report | str:
    """Without any memory of what came before."""
    try:
        item = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"bad-json: {error}"
    candidate = parse_report(item, configuration.site.zone)
    if not isinstance(candidate, Rejection):
        judged = judge.judge(candidate, None, None, "backtest")
        if isinstance(judged, Report):
            return judged
        candidate = judged
    return f"{candidate.reason}: {candidate.detail}"


TIMES = ["2026-02-24T08:00:00+08:00", "2026-02-24T08:00:31+08:00", "2026-02-24 08:01", "soon", "0001-01-01T00:00:00Z"]  # fmt: skip
VALUES: list[Any] = [0, 3.4, -1, 10**30, 10**400, 1e-300, True, "7", None, [1]]
UNITS: list[Any] = ["mg/L", "mg/l", "µg/L", "ug/L", "kg", "", None, 4]
FLAGS: list[Any] = ["N", "N", "D", "T", "", None, "longer than any", 1]


def line(random: Random, configuration: Configuration) -> bytes:
    """Mostly like the others; sometimes with one thing that is rare or wrong."""
    facility = random.choice([*configuration.facilities, "nobody"])
    codes = random.choice([["w01018"], ["w21003", "w01018"], ["w01018", "w01018"], ["nothing"], []])
    readings: list[dict[str, Any]] = [
        {"indicator": c, "value": random.choice(VALUES[:3])} for c in codes
    ]
    item: dict[str, Any] = {
        "facility": facility, "observed_at": random.choice(TIMES[:3]),
        "interval": random.choice(["minute", "hour", "day", "realtime"]), "readings": readings,
    }  # fmt: skip
    known = [s.id for s in configuration.stations.values() if s.facility == facility]
    if random.random() < 0.5:
        item["station"] = random.choice([*known, None])
    if random.random() < 0.3:
        item["id"] = random.choice(["a", "b", "", None, "x" * 129])
    for reading in readings:
        if random.random() < 0.3:
            reading["unit"] = random.choice(UNITS)
        if random.random() < 0.3:
            reading["flag"] = random.choice(FLAGS)
        if random.random() < 0.1:
            reading["value"] = random.choice(VALUES)
    if random.random() < 0.1:
        item[random.choice(["revision", "withdrawn", "other", "interval", "observed_at", "readings"])] = random.choice(
            [1, True, "x", TIMES[4], None]
        )  # fmt: skip
    text = json.dumps(item).encode()
    if random.random() < 0.05:
        text = text[: random.randrange(len(text))]
    return text.replace(b"\n", b"")


@pytest.mark.parametrize("seed", range(40))
def test_both_ways_give_the_same(configuration: Configuration, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    lines = [line(random, configuration) + b"\n" for _ in range(400)]
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"".join(lines))
    judge = Judge(configuration)
    expected = [long_way(each, judge, configuration) for each in lines if each.strip()]
    found = list(read_inputs([path], configuration))
    assert [each.text if isinstance(each, Note) else each for each in found] == expected
    assert sum(isinstance(each, Report) for each in found) > 20


def test_what_was_seen_before_is_quick(configuration: Configuration) -> None:
    """Else the property above would hold of nothing."""
    judge, zone = Judge(configuration), configuration.site.zone
    quick = Quick(judge, zone, "backtest")
    facility = next(iter(configuration.facilities))

    def said(value: float, at: str) -> bytes:
        reading = {"indicator": "w01018", "value": value, "unit": "mg/L", "flag": "N"}
        return json.dumps({"facility": facility, "observed_at": at, "interval": "minute",
                           "readings": [reading]}).encode()  # fmt: skip

    first = said(1, TIMES[0])
    assert quick.read(first) is None
    judged = long_way(first, judge, configuration)
    assert isinstance(judged, Report)
    quick.learn(json.loads(first), judged)
    again = quick.read(said(2.5, TIMES[2]))
    assert again is not None
    assert (again.values, again.station) == ((2.5,), judged.station)
    assert quick.read(said(2.5, TIMES[3])) is None


def test_packed_files_and_standard_input(
    configuration: Configuration, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same words from a file, from the same packed, and from what is piped in."""
    random = Random(5)
    text = b"\n".join(line(random, configuration) for _ in range(300))
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    notes = io.StringIO(), io.StringIO()
    expected = list(backtest(configuration, [plain], notes[0]))
    assert list(backtest(configuration, [packed], notes[1])) == expected
    assert notes[1].getvalue() == notes[0].getvalue().replace(str(plain), str(packed))

    out, before = tmp_path / "out", sys.stdin
    with io.TextIOWrapper(io.BytesIO(text + b'\n{"tick": "2026-02-24T09:00:00+08:00"}\n')) as piped:
        sys.stdin = piped
        try:
            assert run(configuration, [Path("-")], out) == 0
        finally:
            sys.stdin = before
    assert out.read_bytes().splitlines() == expected
    assert "-:301: bad-field: standard input cannot bring ticks" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz"])
def test_a_file_that_is_not_whole_is_named(
    configuration: Configuration, tmp_path: Path, name: str
) -> None:
    whole = gzip.compress(b"observed_at,facility,indicator,value\n" * 500)
    for wrong in (b"observed_at\n", whole[:-20], whole[:-8] + b"\x00" * 8):
        (tmp_path / name).write_bytes(wrong)
        with pytest.raises(InputError, match=f"{name}: not whole as gzip: .*; pack or copy it"):
            run(configuration, [tmp_path / name], tmp_path / "out")


@pytest.mark.parametrize("seed", range(40))
def test_an_ordinary_body_reads_as_any_other(configuration: Configuration, seed: int) -> None:
    """In a request, too: lists and lines, whether all, some or none of them are ordinary."""
    random, zone = Random(seed), configuration.site.zone
    ordinary = 0
    for _ in range(60):
        lines = [line(random, configuration) for _ in range(random.choice([1, 1, 2, 5]))]
        ordinary += all(plain_report(each, zone) is not None for each in lines)
        whole = [each for each in lines if not isinstance(_decoded(each), Exception)]
        expected = [(parse_report(_decoded(each), zone), each) for each in whole]
        body = b"[" + b", ".join(whole) + b"]"
        assert read_items(body, False, zone) == expected
        assert read_items(b"\n".join(whole), True, zone) == expected
    assert ordinary > 0


def _decoded(text: bytes) -> Any:
    try:
        return decoded(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return error
