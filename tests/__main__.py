"""Run every test there is: `make test`. Every phase on two processes; ports and folders are drawn."""

import os
import subprocess
import sys

PHASES = [
    ["-n", "2", "--dist", "loadfile", "tests/unit", "tests/contract", "tests/scenario"],
    ["-n", "2", "tests/endtoend"],
    ["-n", "2", "--dist", "loadfile", "tests/system"],
    ["tests/story"],  # alone: it counts how often phones ring while a clock runs
    ["-n", "2", "--dist", "loadfile", "tests/kafka"],
    ["-n", "2", "--dist", "loadfile", "tests/deploy"],
]


def main() -> int:
    """Stop at the first phase that fails; its exit code is ours."""
    for phase in PHASES:
        command = [sys.executable, "-m", "pytest", "-q", *phase, *sys.argv[1:]]
        print("+", " ".join(command[1:]), flush=True)
        code = subprocess.run(command, check=False, env=os.environ).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
