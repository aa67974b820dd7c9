"""`python -m tests.air PATH [--years | --faults]`: the tables of docs/detectors.md."""

import sys
from pathlib import Path

from tests.air.figures import tables, years
from tests.air.stations import read


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    stations = read(Path(sys.argv[1]))
    if not stations:
        print(f"{sys.argv[1]}: no *.csv or *.csv.gz lies there")
        return 1
    found = years(stations)
    for line in tables(stations, found):
        print(line)
    return 0 if not found.recoveries.false else 1


if __name__ == "__main__":
    sys.exit(main())
