"""Run report: `yujing backtest --report OUT.html`: the lines of a backtest, and a page for people."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from services.authoring.outcome import outcome
from services.authoring.report import Report
from services.authoring.run_diff import notes_of, parse_answering
from services.authoring.traces import Traces
from services.rules.input_files import Input, is_there
from shared.model.configuration import Configuration
from shared.model.transition import Transition, transition_object

EXIT_FAILED = 1


def run(
    configuration: Configuration, inputs: Sequence[Input], report: Path, ack_after: str,
    lines: IO[bytes], err: IO[str],
) -> int:  # fmt: skip
    """Transitions into `lines` as `yujing backtest` writes them, and the report as one file."""
    ack_after_us, _ = parse_answering(ack_after)
    missing = [path for path in inputs if not is_there(path)]
    for path in missing:
        print(f"{path}: no such file, and no data directory with a log.db", file=err)
    if missing:
        return EXIT_FAILED
    traces = Traces(configuration)
    found = outcome(configuration, inputs, ack_after_us, traces.take, _writer(configuration, lines))
    notes_of(found, err)
    text = Report(found, traces, ack_after_us).html()
    report.write_text(text, encoding="utf-8")
    print(f"{report}: {len(found.episodes)} alerts, {len(found.told)} messages", file=err)
    return 0


def _writer(configuration: Configuration, lines: IO[bytes]) -> Callable[[Transition], None]:
    zone = configuration.site.zone

    def write(transition: Transition) -> None:
        lines.write(msgspec.json.encode(transition_object(transition, zone)) + b"\n")

    return write
