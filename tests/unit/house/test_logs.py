"""Logs: one JSON object a line, and no address in them."""

import io
import json
import logging

import pytest
import structlog

from shared.observe import logs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to 13900000001 now", "to <number> now"),
        ("to +86 13900000001", "to <number>"),
        ("8613900000001", "<number>"),
        ("mail li@example.org failed", "mail <address> failed"),
        ("##0100QN=1;PW=123456;MN=A", "##0100QN=1;PW=<hidden>;MN=A"),
        ("201901010000000", "201901010000000"),
        ("facility 420100-mw-01", "facility 420100-mw-01"),
    ],
)
def test_what_looks_like_an_address_is_masked(text: str, expected: str) -> None:
    """The last net under 'no phone number in a log'."""
    assert logs.masked(text) == expected


def test_our_lines_and_the_librarys_are_json() -> None:
    """Whoever writes, operations parse one kind of line."""
    stream = io.StringIO()
    logs.configure("info", stream)
    try:
        structlog.get_logger().info("report_accepted", station="站点", to="13900000001")
        logging.getLogger("library").warning("to %s", "13900000001")
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers.clear()

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["report_accepted", "to <number>"]
    assert lines[0]["to"] == "<number>"
