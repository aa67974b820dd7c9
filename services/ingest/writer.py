"""The writer: one thread that decides in order, appends in groups, and only then answers.

Callers queue submissions; whatever has queued while the last group was being made durable is
the next group: judged, deduplicated against what is known and against itself, appended as one
envelope a partition, answered. Under load the group grows, and one fsync serves hundreds of senders.
"""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future

import msgspec
import structlog

from services.ingest.envelopes import Partitioned
from services.ingest.seen import Seen, series_of
from shared.clock import Clock
from shared.errors import SlowDown, Unavailable
from shared.log.port import DEAD_LETTERS, REPORTS, Addition, Log, Position
from shared.model.instants import Instant
from shared.model.report import Activate, Record, Report, Tick
from shared.observe.metrics import Metrics
from shared.reports import dead_letter
from shared.reports.candidate import Accepted, Candidate, Duplicate, Rejection, Source, Verdict
from shared.reports.judge import Judge

GROUP_REPORTS = 2_000
"""One envelope holds at most about this many records (a larger body stays whole)."""
QUEUE_REPORTS = 60_000
QUEUE_BYTES = 128 * 1024 * 1024
Item = tuple[Candidate | Rejection, bytes]

log = structlog.get_logger()


_RESULTS: dict[type, str] = {
    Accepted: "accepted", Duplicate: "duplicate", Rejection: "rejected",
}  # fmt: skip


class _Job(msgspec.Struct):
    items: Sequence[Item]
    source: Source
    answer: "Future[list[Verdict]]"
    size: int
    control: Tick | Activate | None = None
    dry: bool = False


class Writer:
    """Implements `Submission`. `start` it, `close` it; `healthy` says whether the log is there."""

    def __init__(
        self, *, log_: Log, seen: Seen, judge: Judge, clock: Clock, metrics: Metrics
    ) -> None:
        self._log, self._seen, self._judge = log_, seen, judge
        self._clock, self._metrics = clock, metrics
        self._partitions = log_.partitions(REPORTS)
        self._queue: deque[_Job] = deque()
        self._queued_reports = self._queued_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self.healthy = True
        self.most_queued = QUEUE_REPORTS
        self._thread = threading.Thread(target=self._run, name="ingest-writer", daemon=True)

    def start(self) -> None:
        self._seen.catch_up()
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Finish what is queued, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    # -- verbs -------------------------------------------------------------------------------

    def submit(self, items: Sequence[Item], source: Source) -> "Future[list[Verdict]]":
        return self._put(_Job(items, source, Future(), sum(len(raw) for _, raw in items)))

    def dry_run(self, items: Sequence[Item], source: Source) -> list[Verdict]:
        job = _Job(items, source, Future(), sum(len(raw) for _, raw in items), dry=True)
        return self._put(job).result()

    def append_control(self, record: Tick | Activate) -> "Future[list[Verdict]]":
        """Append a tick or an activation after everything that is queued now."""
        return self._put(_Job((), Source("http", ""), Future(), 0, control=record))

    def queue_length(self) -> int:
        return self._queued_reports

    def _put(self, job: _Job) -> "Future[list[Verdict]]":
        with self._changed:
            if self._closing:
                raise Unavailable("ingest is stopping")
            if (
                job.control is None
                and self._queue
                and (
                    self._queued_reports + len(job.items) > self.most_queued
                    or self._queued_bytes + job.size > QUEUE_BYTES
                )
            ):
                raise SlowDown("too many reports are waiting for the log")
            self._queue.append(job)
            self._queued_reports += len(job.items)
            self._queued_bytes += job.size
            self._changed.notify()
        return job.answer

    # -- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while self.step():
            pass

    def step(self) -> bool:
        """Make one group durable and answer it; waits for one, False when closing.

        The thread's body, and what a simulation calls itself when something is queued.
        """
        group = self._take()
        if not group:
            return False
        try:
            self._write(group)
        except Unavailable as error:
            self._fail(group, error)
        except Exception as error:
            log.exception("group_failed")
            self._fail(group, Unavailable(f"ingest failed: {type(error).__name__}"))
        return True

    def _take(self) -> list[_Job]:
        group: list[_Job] = []
        count = 0
        with self._changed:
            while not group:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    break
                while self._queue and (
                    not group or count + len(self._queue[0].items) <= GROUP_REPORTS
                ):
                    job = self._queue.popleft()
                    self._queued_reports -= len(job.items)
                    self._queued_bytes -= job.size
                    # Whoever gave up while it was queued was told that nothing was taken.
                    if job.answer.set_running_or_notify_cancel():
                        count += len(job.items)
                        group.append(job)
        return group

    def _fail(self, group: list[_Job], error: Unavailable) -> None:
        if self.healthy:
            log.error("log_away", detail=str(error))
        self.healthy = False
        for job in group:
            if not job.answer.done():
                job.answer.set_exception(error)

    def _write(self, group: list[_Job]) -> None:
        if not self.healthy or self._seen.behind:
            self._seen.forget()  # a failed commit may have reached the disk all the same
            self._seen.catch_up()
        now = self._clock.now()
        records = Partitioned(self._partitions)
        letters: list[Addition] = []
        pending: dict[tuple[str, int], list[Report]] = {}
        answers: list[list[Verdict] | Unavailable] = []
        for job in group:
            if job.control is not None:
                records.everywhere(job.control)
            try:
                verdicts, reports, refused = self._decide(job, now, pending)
            except Exception as error:
                # Ours, and this sender's alone: his neighbours in the group must not suffer.
                log.exception("submission_failed")
                self._metrics.failures.labels("ingest").inc()
                answers.append(Unavailable(f"ingest failed: {type(error).__name__}"))
                continue
            answers.append(verdicts)
            if not job.dry:
                letters += refused
                for report in reports:
                    records.add(report)
                    pending.setdefault(_window(report), []).append(report)
        envelopes = records.envelopes()
        if letters or envelopes:
            entries = [Addition(REPORTS, "", body, number) for number, _, body in envelopes]
            positions = self._log.append_all([*letters, *entries])[len(letters) :]
            for (number, inside, _), position in zip(envelopes, positions, strict=True):
                self._learn(number, position, inside)
            if not self.healthy:
                log.info("log_back")
                self.healthy = True
        self._answer(group, answers)

    def _learn(self, partition: int, position: Position, records: list[Record]) -> None:
        """The log has it, so the sender must hear yes; `ingest.db` can always be caught up."""
        if self._seen.behind:
            return
        try:
            self._seen.learn(partition, position, records)
        except Exception:
            log.exception("dedupe_index_behind")
            self._seen.forget()

    def _decide(
        self, job: _Job, now: Instant, pending: dict[tuple[str, int], list[Report]]
    ) -> tuple[list[Verdict], list[Report], list[Addition]]:
        """(a verdict per item, what is to be logged, dead letters); nothing is changed."""
        verdicts: list[Verdict] = []
        reports: list[Report] = []
        letters: list[Addition] = []
        own: dict[tuple[str, int], list[Report]] = {}
        for candidate, raw in job.items:
            judged: Report | Rejection
            if isinstance(candidate, Rejection):
                judged = candidate
            else:
                judged = self._judge.judge(
                    candidate, now, job.source.facilities, job.source.listener
                )
            if isinstance(judged, Rejection):
                verdicts.append(judged)
                facility = candidate.facility if isinstance(candidate, Candidate) else ""
                letters.append(self._letter(job.source, judged, facility, raw, now))
                continue
            window = _window(judged)
            if self._seen.known(judged, [*pending.get(window, ()), *own.get(window, ())]):
                verdicts.append(Duplicate())
                continue
            verdicts.append(Accepted())
            own.setdefault(window, []).append(judged)
            reports.append(judged)
        return verdicts, reports, letters

    def _letter(
        self, source: Source, refused: Rejection, facility: str, raw: bytes, now: Instant
    ) -> Addition:
        letter = dead_letter.DeadLetter(
            now,
            source.listener,
            source.principal,
            refused.reason,
            refused.title,
            refused.detail,
            refused.pointer,
            facility,
            dead_letter.redacted(raw),
        )
        return Addition(DEAD_LETTERS, facility, dead_letter.encode(letter))

    def _answer(self, group: list[_Job], answers: list[list[Verdict] | Unavailable]) -> None:
        for job, verdicts in zip(group, answers, strict=True):
            if isinstance(verdicts, Unavailable):
                if not job.answer.done():
                    job.answer.set_exception(verdicts)
                continue
            if not job.dry:
                self._count(job.source.listener, verdicts)
            if not job.answer.done():  # whoever asked may have gone
                job.answer.set_result(verdicts)

    def _count(self, listener: str, verdicts: list[Verdict]) -> None:
        results = Counter(_RESULTS[type(verdict)] for verdict in verdicts)
        for result, count in results.items():
            self._metrics.reports.labels(listener, result).inc(count)
        if "rejected" in results:
            for verdict in verdicts:
                if isinstance(verdict, Rejection):
                    self._metrics.rejections.labels(verdict.reason).inc()


def _window(report: Report) -> tuple[str, int]:
    return (series_of(report), report.observed_us)
