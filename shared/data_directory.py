"""The data directory: one process at a time, and a format number that says who may read it."""

import fcntl
import os
from pathlib import Path

from shared.errors import InUse, NewerData, Unavailable

DATA_FORMAT = 1
"""Written on the first line of VERSION. A program reads its own format and the one before."""


def check(directory: Path) -> None:
    """Look without touching: may this program use the directory?

    Raises:
        NewerData: VERSION is above ours, or not a number.
        InUse: another process holds the lock.
    """
    version = directory / "VERSION"
    if version.exists():
        first = version.read_text(encoding="utf-8").partition("\n")[0].strip()
        if not first.isdigit() or int(first) > DATA_FORMAT:
            raise NewerData(
                f"{directory}: VERSION says data format {first!r}, this program knows up to "
                f"{DATA_FORMAT}; use the newer program or another --data directory"
            )
    lock = directory / "lock"
    if lock.exists():
        os.close(_locked(lock, os.O_RDONLY))


def _locked(lock: Path, flags: int) -> int:
    handle = os.open(lock, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise InUse(
            f"{lock.parent}: another process holds this data directory; "
            "stop it or give another --data"
        ) from error
    return handle


class DataDirectory:
    """Held from construction until `close` (or the end of the process, however it ends)."""

    def __init__(self, directory: Path) -> None:
        """Create, lock and stamp the directory.

        Raises:
            NewerData, InUse: as `check`.
            Unavailable: the directory cannot be written.
        """
        self.path = directory
        check(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(directory / "lock", os.O_RDWR | os.O_CREAT)
            version = directory / "VERSION"
            if not version.exists():
                version.write_text(f"{DATA_FORMAT}\n", encoding="utf-8")
        except OSError as error:
            raise Unavailable(f"{directory}: cannot be written: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._lock)
