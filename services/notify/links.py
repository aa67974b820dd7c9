"""Links: one signed token for one incident and one person, told again whenever it is asked for.

A token is the pair in base64url, a dot, and 160 bits of HMAC-SHA256 in hex (more than the 128
that the contract asks; a hex digit at the end, since mail programs cut other signs off a link).
Nothing is stored: who has the secret can derive and check it. How long it counts is the
caller's question, since only the desk knows of a recovery.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

_PURPOSE = b"yujing link 1\0"
"""So that another use of the same secret can never sign a link."""
_MAC_HEX = 40
_LONGEST = 1024


class Links:
    """Makes and reads tokens. Treat the secret as what it is: no repr shows it."""

    def __init__(self, base_url: str, secret_key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._secret = secret_key.encode()

    def token(self, incident: str, person: str) -> str:
        pair = msgspec.msgpack.encode((incident, person))
        mac = hmac.new(self._secret, _PURPOSE + pair, hashlib.sha256).hexdigest()[:_MAC_HEX]
        return base64.urlsafe_b64encode(pair).rstrip(b"=").decode() + "." + mac

    def address(self, incident: str, person: str) -> str:
        """`{base_url}/a/TOKEN`."""
        return f"{self._base_url}/a/{self.token(incident, person)}"

    def read(self, token: str) -> tuple[str, str] | None:
        """(incident, person) of a genuine token, None for any other text."""
        body, dot, _ = token.partition(".")
        if not dot or len(token) > _LONGEST or not token.isascii():
            return None
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            incident, person = msgspec.msgpack.decode(raw, type=tuple[str, str])
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        # Compared whole, in constant time: no second spelling of the same token is genuine.
        genuine = hmac.compare_digest(self.token(incident, person).encode(), token.encode())
        return (incident, person) if genuine else None
