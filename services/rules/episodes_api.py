"""`GET /v1/episodes` and `GET /v1/amendments`: the history, and what changed it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.rules.api import LARGEST, MOST, RulesApi, answer, whole
from services.rules.core import history
from services.rules.core.told_episodes import Account, accounts
from services.rules.history_port import HistoryReader
from services.rules.past_units import amended_histories
from shared.http.problems import problem
from shared.log.port import Bundles
from shared.model.amendment import Amendment, Cause, Span
from shared.model.instants import instant_text
from shared.model.transition import Transition

MOST_TRANSITIONS = 20_000
"""The newest that the episodes of one answer are folded from."""
MOST_AMENDMENTS = 5_000


class Newest(Protocol):
    """The newest transitions, in order."""

    def newest(self, limit: int, facilities: Sequence[str] | None) -> list[Transition]: ...


class EpisodesApi:
    """Reads; `store` None: this site amends nothing, and the history is what was said."""

    def __init__(
        self, api: RulesApi, said: Newest, store: HistoryReader | None, bundles: Bundles,
        keep_us: int,
    ) -> None:  # fmt: skip
        self._api, self._said, self._store, self._bundles = api, said, store, bundles
        self._keep_us = keep_us

    def routes(self) -> list[Route]:
        return [
            Route("/v1/episodes", self.episodes),
            Route("/v1/amendments", self.amendments),
        ]

    async def episodes(self, request: Request) -> Response:
        """Newest first, at most 1,000; of one facility or rule when asked for."""
        facilities = self._facilities(request)
        if isinstance(facilities, Response):
            return facilities
        found = await asyncio.to_thread(self._accounts, facilities)
        rule = request.query_params.get("rule")
        shown = [each for each in found if not rule or each.alert[0] == rule][:MOST]
        return answer({"episodes": [account_object(each, self._api.zone) for each in shown]})

    async def amendments(self, request: Request) -> Response:
        """In the order in which they were seen; `after` and `next` as for transitions."""
        facilities = self._facilities(request)
        if isinstance(facilities, Response):
            return facilities
        after = whole(request.query_params.get("after", "0"), 0)
        limit = whole(request.query_params.get("limit", "100"), 1)
        if after is None or limit is None:
            return problem(
                400, "bad-number", "after is a whole number from 0, limit one from 1 to 1000"
            )
        found: list[tuple[int, Amendment]] = []
        if self._store is not None:
            found = await asyncio.to_thread(
                self._store.amendments, min(after, LARGEST), min(limit, MOST), facilities
            )
        zone = self._api.zone
        shown = [{"seq": seq} | amendment_object(each, zone) for seq, each in found]
        return answer({"amendments": shown, "next": found[-1][0] if found else after})

    def _facilities(self, request: Request) -> list[str] | Response | None:
        """Those that are asked for and may be seen; None: all."""
        principal = self._api.reader(request)
        if isinstance(principal, Response):
            return principal
        seen = self._api.facilities_of(principal)
        wanted = request.query_params.get("facility")
        if not wanted:
            return seen
        return [wanted] if seen is None or wanted in seen else []

    def _accounts(self, facilities: Sequence[str] | None) -> list[Account]:
        live = history.episodes(self._said.newest(MOST_TRANSITIONS, facilities))
        if self._store is None:
            return accounts(live, {}, {}, ())
        final: dict[history.Alert, list[history.Episode]] = {}
        since_us: dict[history.Alert, int] = {}
        for part in self._store.parts(facilities):
            of_part = amended_histories(part, self._bundles, facilities, self._keep_us, live)
            final |= of_part[0]
            since_us |= of_part[1]
        amendments = self._store.amendments(0, MOST_AMENDMENTS, facilities)
        return accounts(live, final, since_us, [each for _, each in amendments])


def account_object(account: Account, zone: ZoneInfo) -> dict[str, Any]:
    rule, facility, station, indicator, interval = account.alert
    now = account.now
    state = "vanished" if now is None else "firing" if now.end_us is None else "ended"
    return {
        "rule": rule, "facility": facility, "station": station, "indicator": indicator,
        "interval": interval, "state": state, "amended": bool(account.amendments),
        **span_object(now or account.said[0], zone),
        "said": [span_object(each, zone) for each in account.said],
        "amendments": [amendment_object(each, zone) for each in account.amendments],
    }  # fmt: skip


def span_object(span: Span, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "episode": instant_text(span.start_us, zone),
        "fired_at": instant_text(span.fired_us, zone),
        "ended_at": None if span.end_us is None else instant_text(span.end_us, zone),
        "severity": span.severity.value,
        "value": span.value, "limit": span.limit, "unit": span.unit,
    }  # fmt: skip


def amendment_object(amendment: Amendment, zone: ZoneInfo) -> dict[str, Any]:
    before, after = amendment.before, amendment.after
    return {
        "id": amendment.id, "kind": amendment.kind, "rule": amendment.rule,
        "facility": amendment.facility, "station": amendment.station,
        "indicator": amendment.indicator, "interval": amendment.interval,
        "before": None if before is None else span_object(before, zone),
        "after": None if after is None else span_object(after, zone),
        "cause": _cause_object(amendment.cause, zone),
        "at": instant_text(amendment.at_us, zone),
    }  # fmt: skip


def _cause_object(cause: Cause, zone: ZoneInfo) -> dict[str, Any]:
    elsewhere = {"facility": cause.facility, "station": cause.station} if cause.station else {}
    return {
        "why": cause.why, **elsewhere, "indicator": cause.indicator,
        "observed_at": instant_text(cause.observed_us, zone), "value": cause.value,
        "flag": cause.flag, "report": cause.report_id,
        "received_at": instant_text(cause.received_us, zone),
    }  # fmt: skip
