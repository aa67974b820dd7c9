"""Cookie sessions: who signed in with which token, until when; signed, nothing is stored.

The cookie holds the id of an access entry and an end. Its signature also covers the token of
that entry, so taking the token out of access.yaml, or changing it, ends its sessions at once.
"""

import base64
import hashlib
import hmac

from shared.model.configuration import Configuration

COOKIE = "yujing_session"
LIFE_S = 12 * 3600
"""One shift. Measured by the machine's clock: a scenario clock that races signs nobody out."""

_LONGEST = 512


class Sessions:
    """Writes and reads the cookie's value; the caller says what time it is (Unix seconds)."""

    def __init__(self, configuration: Configuration) -> None:
        self._key = hashlib.sha256(
            b"yujing session\0" + configuration.site.secret_key.encode()
        ).digest()
        self._tokens = {access.id: access.token for access in configuration.access}

    def begin(self, access: str, now_s: float) -> str:
        """A cookie value for the owner of an access entry."""
        content = f"{int(now_s) + LIFE_S}.{access}"
        signature = self._signature(content, self._tokens[access])
        return base64.urlsafe_b64encode(f"{signature}.{content}".encode()).decode()

    def token(self, cookie: str, now_s: float) -> str | None:
        """The token this session stands for; None when it is over or not ours."""
        if len(cookie) > _LONGEST:
            return None
        try:
            text = base64.urlsafe_b64decode(cookie.encode()).decode()
        except ValueError:
            return None
        signature, _, content = text.partition(".")
        end, _, access = content.partition(".")
        token = self._tokens.get(access)
        if token is None or not (end.isascii() and end.isdigit()):
            return None
        genuine = hmac.compare_digest(signature.encode(), self._signature(content, token).encode())
        return token if genuine and now_s < int(end) else None

    def _signature(self, content: str, token: str) -> str:
        return hmac.new(self._key, f"{content}\0{token}".encode(), hashlib.sha256).hexdigest()
