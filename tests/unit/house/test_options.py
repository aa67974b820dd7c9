"""Options: what a run was asked to do is checked before anything is opened."""

import socket

import pytest

from shared.errors import ConfigError, InUse
from shared.options import bind, is_loopback, split_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:0", ("::1", 0)), (":9", ("127.0.0.1", 9))],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    """Host and port as people write them."""
    assert split_address(text, "--http") == expected


@pytest.mark.parametrize("text", ["80", "host:", "host:http", "host:70000"])
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    """The message names the flag."""
    with pytest.raises(ConfigError, match="--http"):
        split_address(text, "--http")


def test_a_port_in_use_is_named() -> None:
    """The operator must know which port to free."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(InUse, match=f"port {port}"):
            bind(f"127.0.0.1:{port}", "--hj212")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    """A drill may reach nobody outside."""
    assert is_loopback(host) is expected
