"""Where recorded inputs come from: files, files packed by gzip, standard input (`-`), data directories."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from shared.errors import InputError
from shared.model.report import Report, Tick

STANDARD_INPUT = Path("-")
"""JSONL only, and without ticks of its own: it cannot be read twice."""
Recording = Callable[[], Iterator[Report | Tick]]
"""A log that lies in no file, such as that of a cluster; called, it is read from its beginning."""
Input = Path | Recording


def is_there(path: Input) -> bool:
    return path == STANDARD_INPUT or can_be_read_again(path)


def can_be_read_again(path: Input) -> bool:
    return not isinstance(path, Path) or path.is_file() or log_of(path) is not None


def log_of(path: Path) -> Path | None:
    """The log of a data directory, when this is one."""
    found = path / "log.db"
    return found if path.is_dir() and found.is_file() else None


def is_csv(path: Path) -> bool:
    """By its name: `.csv`, or `.csv.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower() == ".csv"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Its bytes, unpacked.

    Raises:
        InputError: it is called `.gz` and is not, or its end is missing.
    """
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    packed = path.suffix.lower() == ".gz"
    try:
        with cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: not whole as gzip: {error}; pack or copy it again") from error
