"""`python -m tests.endtoend --seeds N --start S`: simulate, and print the seed of a failure."""

import argparse
import sys
import time

import structlog

from tests.endtoend.promises import Broken
from tests.endtoend.run import run


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began, texts, crashes = time.monotonic(), 0, 0
    for seed in range(chosen.start, chosen.start + chosen.seeds):
        try:
            world = run(seed)
        except Broken as broken:
            print(f"seed {seed}: promise {broken}")
            return 1
        except BaseException:
            print(f"seed {seed}")
            raise
        texts += len(world.took())
        crashes += world.crashed
    seconds = time.monotonic() - began
    print(f"{chosen.seeds} seeds hold: {texts} texts, {crashes} crashes, {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
