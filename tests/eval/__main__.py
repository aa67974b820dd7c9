"""`python -m tests.eval PATH [--by-rule]`: scores per series and in all, beside constant thresholds."""

import sys
from pathlib import Path

from tests.eval.constant import best_of_each, best_of_one
from tests.eval.detector import Rules, detections, rules
from tests.eval.scoring import Score, score, together
from tests.eval.series import Labelled, read


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    try:
        every = read(Path(sys.argv[1]))
    except ValueError as error:
        print(error)
        return 1
    if not every:
        print(f"{sys.argv[1]}: windows.json names no file that lies there")
        return 1
    judged = rules()
    print(f"{len(every)} series, one setting for all: {', '.join(judged)}")
    scores = {series.name: score(series, detections(series, judged)) for series in every}
    for name, found in scores.items():
        print(f"  {name[:64]:64} {line(found)}")
    for name, alone in judged.items():
        print(f"  {name + ' alone':64} {line(total(every, {name: alone}))}")
    limit, constant = best_of_one(every)
    print(f"  {f'best constant threshold for all ({limit:g})':64} {line(constant)}")
    each = "best constant threshold of each series, by its labels"
    print(f"  {each:64} {line(best_of_each(every))}")
    whole = together(scores.values())
    print(f"  {'total':64} {line(whole)}")
    print(
        f"score {whole.total:.1f} of 100, {whole.false_per_day:.3f} false alarms a day; "
        f"best constant threshold {constant.total:.1f}"
    )
    return 0


def total(every: list[Labelled], judged: Rules) -> Score:
    return together(score(series, detections(series, judged)) for series in every)


def line(found: Score) -> str:
    return (
        f"{found.found:3} of {found.windows:3} found, {found.false:4} false "
        f"({found.false_per_day:.3f} a day), score {found.total:6.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
