"""Beside: a command of our own as another process, with low priority, for what would hold up threads."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LOW_PRIORITY, POLL_S = 10, 0.2
SAID = 500
"""Bytes of what it said on stderr that are kept."""


class Done(NamedTuple):
    code: int
    said: str


def run_beside(arguments: Sequence[str], out: Path, *, go_on: Callable[[], bool]) -> Done:
    """`yujing ARGUMENTS` into a file. It is killed as soon as `go_on`, asked often, says no."""
    command = [sys.executable, "-m", "services", *arguments]
    pause = threading.Event()
    with out.open("wb") as file, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=file, stderr=err)  # noqa: S603  our own program
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, child.pid, LOW_PRIORITY)
        try:
            while (code := child.poll()) is None:
                pause.wait(POLL_S)
                if not go_on():
                    child.kill()
        finally:
            child.kill()
            child.wait()
        err.seek(0, os.SEEK_END)
        err.seek(max(0, err.tell() - SAID))
        return Done(code, err.read().decode(errors="replace"))
