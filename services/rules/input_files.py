"""Where recorded inputs come from: files, files packed by gzip, and standard input (`-`)."""

import gzip
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, cast

STANDARD_INPUT = Path("-")
"""JSONL only, and without ticks of its own: it cannot be read twice."""


def is_there(path: Path) -> bool:
    return path == STANDARD_INPUT or path.is_file()


def is_csv(path: Path) -> bool:
    """By its name: `.csv`, or `.csv.gz`."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower() == ".csv"


def opened(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Its bytes, unpacked."""
    if path == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    if path.suffix.lower() == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")
