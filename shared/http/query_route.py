"""A route taken only with a query: a name that ends the path may still be somebody's id."""

from starlette.routing import Match, Route
from starlette.types import Scope


class QueryRoute(Route):
    """`/v1/why/series?…` is one; `/v1/why/series` is a report called series."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and b"=" not in scope.get("query_string", b""):
            return Match.NONE, {}
        return super().matches(scope)
