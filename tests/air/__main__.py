"""`python -m tests.air PATH [years|faults|pack|pages|heavy]`: the tables of docs/detectors.md."""

import sys
from pathlib import Path

from tests.air import detected, heavy, pages, suspicions
from tests.air.figures import tables, years
from tests.air.stations import read

PARTS = ("years", "faults", "pack", "pages", "heavy")


def main() -> int:
    path, *parts = sys.argv[1:] or [""]
    if not path or not set(parts) <= set(PARTS):
        print(__doc__)
        return 2
    stations = read(Path(path))
    if not stations:
        print(f"{path}: no *.csv or *.csv.gz lies there")
        return 1
    false = 0
    if "years" in (parts or PARTS):
        found = years(stations)
        print(*tables(stations, found), sep="\n")
        false = len(found.recoveries.false)
    if "faults" in (parts or PARTS):
        print("", *detected.tables(detected.tried(stations)), sep="\n")
    if "pack" in (parts or PARTS):
        print("", *suspicions.tables(suspicions.tried(stations)), sep="\n")
    if "pages" in (parts or PARTS):
        print("", *pages.tables(pages.told(stations)), sep="\n")
    if "heavy" in (parts or PARTS):
        print("", *heavy.tables(stations), sep="\n")
    return 0 if not false else 1


if __name__ == "__main__":
    sys.exit(main())
