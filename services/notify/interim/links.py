"""Signed links: one incident, one person, nothing stored. Only a POST to one acknowledges."""

import base64
import hashlib
import hmac

TAG_BYTES = 20
"""160 bits of HMAC-SHA256; contract §4 asks for at least 128."""


class Links:
    """Makes and reads the TOKEN of `/a/TOKEN`. Whether it still counts is the caller's to say."""

    def __init__(self, secret_key: str, base_url: str) -> None:
        self._key = hashlib.sha256(b"yujing link\0" + secret_key.encode()).digest()
        self._base_url = base_url

    def token(self, incident: str, person: str) -> str:
        content = f"{incident}\0{person}".encode()
        return _text(self._tag(content) + content)

    def address(self, incident: str, person: str) -> str:
        return f"{self._base_url}/a/{self.token(incident, person)}"

    def read(self, token: str) -> tuple[str, str] | None:
        """(incident, person) of a genuine token; None for any other."""
        if len(token) > 512:
            return None
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        tag, content = raw[:TAG_BYTES], raw[TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(content)) or token != _text(raw):
            return None
        incident, _, person = content.decode().partition("\0")
        return incident, person

    def _tag(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:TAG_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
