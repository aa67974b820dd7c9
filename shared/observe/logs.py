"""Structured logs: one JSON object per line on stderr; an event name, never prose with values.

Addresses must not reach a log at all; the last processor is the net under that promise: it
masks anything that looks like a mobile number or a mail address, and the PW of HJ 212.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_PASSWORD = re.compile(r"\bPW=[^;]*", re.IGNORECASE)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def masked(text: str) -> str:
    """`text` without anything that looks like a mobile number, a mail address or a password."""
    text = _MOBILE.sub("<number>", text)
    text = _MAIL.sub("<address>", text)
    return _PASSWORD.sub("PW=<hidden>", text)


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = masked(value)
    return event


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to `stream` (stderr) as JSON lines."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
