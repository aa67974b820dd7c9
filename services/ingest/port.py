"""What a listener may ask of ingest: one verb, answered only after the log has it."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from shared.reports.candidate import Candidate, Rejection, Source, Verdict


class Submission(Protocol):
    """Implemented by the writer (services.ingest.writer); thread-safe."""

    def submit(
        self, items: Sequence[tuple[Candidate | Rejection, bytes]], source: Source
    ) -> "Future[list[Verdict]]":
        """Judge, deduplicate and append (item, raw bytes for the dead letter) pairs.

        The future resolves with one verdict per item, in order, once everything accepted is
        durable and everything refused is kept. It raises `Unavailable` when the log cannot be
        written (nothing was taken) and `SlowDown` when the queue is full.
        """

    def dry_run(
        self, items: Sequence[tuple[Candidate | Rejection, bytes]], source: Source
    ) -> list[Verdict]:
        """The same verdicts without leaving a trace."""
