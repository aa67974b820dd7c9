"""Episodes: transitions folded into what a person calls an alert: from when to when, how bad."""

import msgspec

from services.authoring.rerun import Came
from shared.model.instants import Instant
from shared.model.severity import Severity
from shared.model.transition import Transition

AlertKey = tuple[str, str, str, str, str]


class Episode(msgspec.Struct):
    """One episode that fired. `first` is its first firing; `ended_us` None: it still stands."""

    first: Transition
    told_us: Instant
    """Log time of the first firing: when people heard of it at the earliest."""
    severity: Severity
    """The worst it reached."""
    changes: list[tuple[Instant, Severity]]
    """From when it stood at which severity."""
    worst_value: float | None
    worst_limit: str | None
    ended_us: Instant | None = None
    end: str = ""

    @property
    def start_us(self) -> Instant:
        return self.first.episode_us

    @property
    def fired_us(self) -> Instant:
        return self.first.at_us

    @property
    def key(self) -> AlertKey:
        return self.first.alert


class Episodes:
    """Takes transitions in their order; `all` in the order of their first firings."""

    def __init__(self) -> None:
        self.all: list[Episode] = []
        self._open: dict[AlertKey, Episode] = {}

    def take(self, came: Came) -> None:
        transition = came.transition
        if transition.state == "firing":
            episode = self._open.get(transition.alert)
            if episode is None or episode.start_us != transition.episode_us:
                self._begin(came)
            else:
                self._change(episode, transition)
        elif transition.state in ("resolved", "withdrawn"):
            episode = self._open.pop(transition.alert, None)
            if episode is not None:
                episode.ended_us, episode.end = transition.at_us, transition.cause

    def _begin(self, came: Came) -> None:
        first = came.transition
        episode = Episode(
            first,
            came.at_us,
            first.severity,
            [(first.at_us, first.severity)],
            first.value,
            first.limit,
        )
        self._open[first.alert] = episode
        self.all.append(episode)

    def _change(self, episode: Episode, transition: Transition) -> None:
        episode.changes.append((transition.at_us, transition.severity))
        if transition.severity.rank > episode.severity.rank:
            episode.severity = transition.severity
            episode.worst_value, episode.worst_limit = transition.value, transition.limit
