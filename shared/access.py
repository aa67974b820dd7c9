"""Who is asking, and what may they see: tokens of access.yaml, compared in constant time."""

import hmac
from typing import Literal

import msgspec
from starlette.requests import Request

from shared.model.configuration import Configuration, lineage


class Principal(msgspec.Struct, frozen=True):
    """Somebody with a token. `visible` are territory codes; None means everything."""

    id: str
    kind: Literal["upstream", "officer", "operator"]
    facilities: tuple[str, ...] = ()
    visible: frozenset[str] | None = None

    def sees(self, territory: str) -> bool:
        """May this principal read and acknowledge for a territory?"""
        return self.visible is None or territory in self.visible


class Gate:
    """Turns an Authorization header into a principal. Only the header counts, never the URL."""

    def __init__(self, configuration: Configuration) -> None:
        self._known: list[tuple[bytes, Principal]] = []
        for access in configuration.access:
            visible = None
            if access.kind == "officer":
                visible = frozenset(
                    code
                    for code in configuration.territories
                    if access.territory in lineage(code, configuration.territories)
                )
            principal = Principal(access.id, access.kind, access.facilities, visible)
            self._known.append((access.token.encode(), principal))

    def principal(self, authorization: str | None) -> Principal | None:
        """The owner of `Bearer TOKEN`; None for no header, another scheme, or a wrong token."""
        scheme, _, token = (authorization or "").partition(" ")
        return self.by_token(token.strip()) if scheme.lower() == "bearer" else None

    def request(self, request: Request) -> Principal | None:
        """Who sends this request; only the header counts."""
        return self.principal(request.headers.get("authorization"))

    def by_id(self, access_id: str) -> Principal | None:
        """The principal of an entry of access.yaml, whoever asks."""
        return next((known for _, known in self._known if known.id == access_id), None)

    def by_token(self, token: str) -> Principal | None:
        """Compare with every token, so that time tells nothing about which one was near."""
        given, found = token.encode(), None
        for known, principal in self._known:
            if hmac.compare_digest(given, known):
                found = principal
        return found if given else None
