"""Hold: judgements over time become a held level and an episode (contract §8.2-8.8).

inactive --above--> pending --for--> firing --clearing reading + keep_firing_for--> inactive
                       |                |
                 below every level   rose / fell between levels
"""

from typing import Literal

import msgspec

from services.rules.core.levels import NONE, Ladder
from services.rules.core.memory import Memory

Phase = Literal["inactive", "pending", "firing"]


class Change(msgspec.Struct, frozen=True):
    """What happened to an episode; the engine adds names and makes a Transition of it."""

    state: Literal["pending", "firing", "resolved", "withdrawn"]
    cause: Literal["raised", "rose", "fell", "cleared", "withdrawn", "missing", "reported"]
    at_us: int
    level: int
    value: float | None
    shows_limit: bool
    episode_us: int
    step: int


class Hold(msgspec.Struct, omit_defaults=True, gc=False):
    """One rule on one series. `held` depends on readings alone; `level` is the episode's."""

    phase: Phase = "inactive"
    held: int = NONE
    level: int = NONE
    standing: bool = False
    """It stands at its lowest level only because the newest reading is unknown (§8.8)."""
    start_us: int = 0
    step: int = 0
    timer_us: int | None = None
    """Pending: when it fires. Firing: when it resolves, while a clearing reading counts."""
    value: float | None = None
    """The newest reading that counted."""
    memory: Memory | None = None
    """What a derived condition made of the readings so far."""

    # -- readings ----------------------------------------------------------------------------

    def known(
        self, ladder: Ladder, delays: tuple[int, int], at_us: int, value: float
    ) -> list[Change]:
        """A reading with flag N or S."""
        self.held = ladder.level(value, self.held)
        return self._stands(self.held, False, delays, at_us, value)

    def over_range(
        self, ladder: Ladder, delays: tuple[int, int], at_us: int, value: float
    ) -> list[Change]:
        """A reading with flag T: a lower bound, which counts only when it raises something."""
        raised = ladder.raised_at_least(value)
        if raised == NONE:
            return []
        self.held = max(raised, self.held)
        return self._stands(self.held, False, delays, at_us, value)

    def unknown(self, alerts: bool, delays: tuple[int, int], at_us: int) -> list[Change]:
        """A reading that is no evidence: nothing rises, nothing clears, clearing starts anew."""
        if self.phase == "firing":
            self.timer_us = None
        if alerts and self.held == NONE and not self.standing:
            return self._stands(0, True, delays, at_us, None)
        return []

    def _stands(
        self, level: int, standing: bool, delays: tuple[int, int], at_us: int, value: float | None
    ) -> list[Change]:
        """The series now stands at `level`."""
        self.value, self.standing = value, standing
        for_us, keep_us = delays
        if level == NONE:
            return self._below(keep_us, at_us)
        if self.phase == "inactive":
            self.phase, self.start_us, self.step, self.level = "pending", at_us, 0, level
            if for_us == 0:
                return [self._fire(at_us)]
            self.timer_us = at_us + for_us
            return [self._change("pending", "missing" if standing else "raised", at_us)]
        before, self.level = self.level, level
        if self.phase == "pending":
            return []
        self.timer_us = None
        if level == before:
            return []
        return [self._change("firing", "rose" if level > before else "fell", at_us)]

    def _below(self, keep_us: int, at_us: int) -> list[Change]:
        if self.phase == "pending":
            self._end()
        elif self.phase == "firing":
            if keep_us == 0:
                return [self._resolve(at_us)]
            if self.timer_us is None:
                self.timer_us = at_us + keep_us
        return []

    # -- time and editions ---------------------------------------------------------------------

    def due(self, until_us: int) -> list[Change]:
        """Run the timer when it is due at or before `until_us`; `at` is the due instant."""
        if self.timer_us is None or self.timer_us > until_us:
            return []
        at_us = self.timer_us
        return [self._fire(at_us) if self.phase == "pending" else self._resolve(at_us)]

    def withdraw(self, at_us: int) -> list[Change]:
        """The rule's edition ended, or the rule is gone: firing is withdrawn, pending is dropped."""
        changes = []
        if self.phase == "firing":
            changes.append(self._change("withdrawn", "withdrawn", at_us))
        self._end()
        self.held, self.standing = NONE, False
        return changes

    # -- steps ---------------------------------------------------------------------------------

    def _fire(self, at_us: int) -> Change:
        self.phase, self.timer_us = "firing", None
        return self._change("firing", "missing" if self.standing else "raised", at_us)

    def _resolve(self, at_us: int) -> Change:
        change = self._change("resolved", "cleared", at_us)
        self._end()
        return change

    def _end(self) -> None:
        self.phase, self.level, self.timer_us = "inactive", NONE, None

    def _change(self, state: str, cause: str, at_us: int) -> Change:
        assert self.level != NONE, (state, cause)
        self.step += 1
        return Change(
            state,  # type: ignore[arg-type]  # literals of the callers above
            cause,  # type: ignore[arg-type]
            at_us,
            self.level,
            None if self.standing else self.value,
            not self.standing,
            self.start_us,
            self.step,
        )
