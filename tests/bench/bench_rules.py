"""Readings judged per second, with decode, beside decode alone; and memory per series.

    python -m tests.bench.bench_rules [SECONDS]

Quiet data (nothing near a limit) is what a country sends nearly always. The limit measured in
the same run is decoding the same bytes and doing nothing with them.
"""

import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

from services.rules.core import state
from services.rules.core.engine import Engine
from shared.model.configuration import BUNDLE_FORMAT, Bundle, Indicator
from shared.model.facility import Facility, Station, Territory
from shared.model.report import Activate, Report, Tick, decode_envelope, encode_envelope
from shared.model.rule import Applies, Basis, Comparison, Level, Range, Rule, Threshold
from shared.model.severity import Severity
from tests.bench.table import Row, markdown

CODES = ("w01018", "w01001", "w00000", "w21003", "w21011", "w21001", "w01010", "w19011")
START = 1_582_473_600_000_000
MINUTE = 60_000_000


def bundle(stations: int) -> Bundle:
    """Hospitals with one outlet each, two rules on every indicator."""
    rules = []
    for code in CODES:
        threshold = Threshold(code, "realtime")
        level = Level(
            Severity.YELLOW, Comparison(">", 60.0, "> 60"), Comparison("<=", 54.0, "<= 54")
        )
        band = Range(code, "realtime", 0.5, 80.0, 0.3)
        rules.append(rule(f"limit-{code}", threshold, level))
        rules.append(rule(f"band-{code}", band, Level(Severity.ORANGE)))
    return Bundle(
        BUNDLE_FORMAT, "Asia/Shanghai", 30_000_000, (Territory("000000", "全国", None),),
        tuple(
            Facility(f"f{n}", f"医院{n}", f"院{n}", "000000", "hospital_wastewater")
            for n in range(stations)
        ),
        tuple(Station(f"f{n}-a", f"f{n}") for n in range(stations)),
        tuple(Indicator(code, code, "mg/L") for code in CODES), tuple(rules),
    )  # fmt: skip


def rule(name: str, condition: Threshold | Range, level: Level) -> Rule:
    return Rule(
        name, name, name, None, None, Applies(kind="hospital_wastewater"), condition, (level,),
        600_000_000, 0, "hold", Basis("GB 18466-2005", "2005", "1", 0),
    )  # fmt: skip


def entries(stations: int, readings: int, per_entry: int, minutes: int) -> list[bytes]:
    """Envelopes of quiet reports, a tick in each."""
    made, records = [], []
    for minute in range(minutes):
        at = START + minute * MINUTE
        for n in range(stations):
            values = tuple(20.0 + (minute * 7 + n + k) % 13 for k in range(readings))
            records.append(
                Report(
                    f"f{n}", f"f{n}-a", "realtime", at, CODES[:readings], values, None, at, "http"
                )
            )
            if len(records) == per_entry:
                made.append(encode_envelope([Tick(at), *records]))
                records = []
    return made


def rate(work: Callable[[], tuple[int, float]], seconds: float) -> float:
    """Readings per second over whole rounds of (readings, seconds); the best that fit."""
    best, begun = 0.0, process_time()
    while process_time() - begun < seconds:
        count, took = work()
        best = max(best, count / took)
    return best


def decoded(bodies: list[bytes], readings: int) -> tuple[int, float]:
    start = process_time()
    count = sum(len(decode_envelope(body)) - 1 for body in bodies) * readings
    return count, process_time() - start


def judged(bodies: list[bytes], configuration: Bundle, warm: int) -> tuple[int, float]:
    """After `warm` entries in which every station is heard for the first time."""
    engine = Engine({"b": configuration}.__getitem__)
    engine.apply([Activate("b")])
    for body in bodies[:warm]:
        assert not engine.apply(decode_envelope(body))
    before, start = engine.judged, process_time()
    for body in bodies[warm:]:
        assert not engine.apply(decode_envelope(body))
    return engine.judged - before, process_time() - start


def speed(seconds: float) -> list[Row]:
    configuration = bundle(500)
    rows = []
    for readings, per_entry in ((8, 100), (1, 100), (8, 1)):
        bodies = entries(500, readings, per_entry, 40)
        limit = rate(partial(decoded, bodies, readings), seconds)
        whole = rate(partial(judged, bodies, configuration, 500 // per_entry), seconds)
        shape = f"{readings} in a report, {per_entry} reports in an entry"
        rows.append(
            Row(f"rules: quiet readings judged, {shape}", whole, "readings/s of one core",
                "decode only", limit)
        )  # fmt: skip
    return rows


def memory(series: int) -> list[Row]:
    """Growth of the process for that many series with state, and what a checkpoint costs."""
    stations = series // len(CODES)
    configuration = bundle(stations)
    engine = Engine({"b": configuration}.__getitem__)
    engine.apply([Activate("b")])
    bodies = entries(stations, len(CODES), 100, 3)
    before = resident_bytes()
    for body in bodies:
        engine.apply(decode_envelope(body))
    grown = resident_bytes() - before
    start = process_time()
    saved = [state.save_cell(cell) for cell in engine.cells.values()]
    saving = process_time() - start
    fresh = Engine({"b": configuration}.__getitem__)
    start = process_time()
    state.restore(fresh, state.save_head(engine), saved)
    restoring = process_time() - start
    size = sum(map(len, saved)) / series
    what = f"{series:,} series with two rules each"
    return [
        Row(f"rules: memory of {what}", grown / series, "bytes/series", "as saved", size),
        Row(f"rules: whole checkpoint of {what}", saving * 1000, "ms"),
        Row(f"rules: restart with {what}", restoring * 1000, "ms"),
    ]


def resident_bytes() -> int:
    """What the process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def run(seconds: float = 3.0) -> list[Row]:
    return memory(100_000) + speed(seconds)


if __name__ == "__main__":
    print(markdown(run(*map(float, sys.argv[1:]))))
