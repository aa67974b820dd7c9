"""`make bench-kafka`: run every bench (or those named) and write docs/bench-kafka.md."""

import datetime as dt
import importlib
import os
import pathlib
import platform
import sys

from tests.bench.table import Row, markdown

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "bench-kafka.md"

HEAD = """\
# Speeds on Kafka and PostgreSQL

Made by `make bench-kafka` on {day}: {machine}, {cores} cores, Python {python}, load {load} when it began.
Broker, PostgreSQL, worker and loader share the cores of this one machine.
Figures per CPU-second are those of the worker's process alone; other load makes even those worse.

"""


def main(arguments: list[str]) -> int:
    """Run; the page is written only by a full run in which nothing failed."""
    load = f"{os.getloadavg()[0]:.1f}"
    rows: list[Row] = []
    failed = []
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    for name in [n for n in names if not arguments or n.removeprefix("bench_") in arguments]:
        print(f"-- {name}", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"tests.bench_kafka.{name}").run()
        except Exception as error:
            failed.append(name)
            print(f"-- {name} failed: {error!r}", file=sys.stderr, flush=True)
    table = markdown(rows)
    print(table)
    if failed:
        return 1
    if not arguments:
        head = HEAD.format(
            day=dt.datetime.now(dt.UTC).date(),
            machine=f"{platform.system()} {platform.machine()}", cores=os.cpu_count(),
            python=platform.python_version(), load=load,
        )  # fmt: skip
        PAGE.write_text(head + table, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
