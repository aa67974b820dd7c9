"""The scripted official: decides which open incidents are answered now, and by whom. Pure."""

from typing import Any

from services.story.script import ANSWERS, DEFAULT_ANSWER


def answering(incident: dict[str, Any]) -> str | None:
    """Who answers this incident now; None while it is too early in the script."""
    script = ANSWERS.get((incident["facility"], incident["opened_at"][:7]), DEFAULT_ANSWER)
    return told(incident, script.step, script.nth)


def told(incident: dict[str, Any], step: int, nth: int) -> str | None:
    """The first person told at `step` or later, once he has had `nth` messages; 5: the catch-all."""
    current, count = 0, 0
    first: str | None = None
    for entry in incident["timeline"]:
        if entry["kind"] in ("opened", "rose", "reopened"):
            current, first, count = 0, None, 0
        elif entry["kind"] in ("step", "catch_all"):
            current += 1
        elif entry["kind"] in ("accepted", "delivered") and current >= step:
            first = first or str(entry["person"])
            count += entry["person"] == first
            if count >= nth:
                return first
    return None
