"""Lookup: the report that its sender named, for `why`. Reads beside the writer."""

import sqlite3
from pathlib import Path

from shared.log.port import REPORTS, Log, Position
from shared.model.report import Report, decode_envelope


class ReportLookup:
    """By the sender's id; of several with one id, the newest. Known a tick after it was taken."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path, self._log = path, log

    def find(self, name: str) -> Report | None:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)
        try:
            row = connection.execute(
                "SELECT position, slot, partition FROM named WHERE id = ?", (name,)
            ).fetchone()
        finally:
            connection.close()
        if row is None:
            return None
        entries = self._log.read(REPORTS, row[2], Position(row[0]), 1).entries
        record = decode_envelope(entries[0].value)[row[1]] if entries else None
        return record if isinstance(record, Report) else None
