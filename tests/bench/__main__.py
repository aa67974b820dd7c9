"""`make bench`: run every bench (or those named) and write their table to docs/bench.md."""

import datetime as dt
import importlib
import os
import pathlib
import platform
import sys

from tests.bench.table import Row, markdown

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "bench.md"

HEAD = """\
# Speeds

Made by `make bench` on {day}: {machine}, {cores} cores, Python {python}.
Every figure stands beside a limit measured in the same run; figures of different runs do not compare.
Servers and clients share the cores of this one machine, so what is read here is a lower bound.

"""


def benches(names: list[str]) -> list[str]:
    """The benches named, or all of them in the order of their names."""
    found = sorted(path.stem for path in HERE.glob("bench_*.py"))
    return [name for name in found if not names or name.removeprefix("bench_") in names]


def main(arguments: list[str]) -> int:
    """Run; the page is written only by a full run in which nothing failed."""
    rows: list[Row] = []
    failed: list[str] = []
    for name in benches(arguments):
        print(f"-- {name}", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"tests.bench.{name}").run()
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
            machine=f"{platform.system()} {platform.machine()}",
            cores=os.cpu_count(),
            python=platform.python_version(),
        )
        PAGE.write_text(head + table, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
