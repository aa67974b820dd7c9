"""`python -m tests.reference [COUNT] [FIRST]`: compare engine and reference on random cases."""

import sys

from tests.reference.compare import Disagreement, check


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(f"seeds {first} to {first + count - 1}", flush=True)
    transitions = told = 0
    for seed in range(first, first + count):
        try:
            found = check(seed)
        except Disagreement as error:
            print(error)
            return 1
        transitions += found
        told += found > 0
    print(f"{count} cases agree; {told} of them have transitions, {transitions} in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
