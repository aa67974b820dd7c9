"""The scripted official: decides which open incidents are answered now, and by whom. Pure."""

from typing import Any

from services.story.script import ANSWERS, DEFAULT_ANSWER


def told_at(incident: dict[str, Any], step: int) -> tuple[str, str] | None:
    """(person, at) of the first message a provider accepted in `step`; 5 and up: catch-all."""
    current = 0
    for entry in incident["timeline"]:
        if entry["kind"] in ("opened", "rose", "reopened"):
            current = 0
        elif entry["kind"] in ("step", "catch_all"):
            current += 1
        elif entry["kind"] in ("accepted", "delivered") and current >= step:
            return entry["person"], entry["at"]
    return None


def answer_after(incident: dict[str, Any]) -> tuple[int, int]:
    """(step, microseconds) of the scripted answer to this incident."""
    script = ANSWERS.get((incident["facility"], incident["opened_at"][:7]), DEFAULT_ANSWER)
    return script.step, script.after_us
