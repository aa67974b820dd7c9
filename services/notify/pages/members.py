"""Members: who stands in the value of a territory, and who does not, by the names people use."""

from collections.abc import Mapping
from typing import Any

from services.notify.pages.words import words
from shared.model.configuration import Configuration

MOST_NAMED = 5
"""On the page; the mail names as many."""


def members_text(members: Mapping[str, Any] | None, c: Configuration) -> str:
    """As transitions show it: `known`, `of`, and some of those that are `unknown`."""
    if not members:
        return ""
    t = words(c.site.language)
    said = t["members"].format(known=members["known"], of=members["of"])
    absent = members["of"] - members["known"]
    names = c.station_names([str(each) for each in members.get("unknown", ())][:MOST_NAMED])
    if not absent or not names:
        return said
    is_english = c.site.language == "en"
    listed = (", " if is_english else "、").join(names)
    if absent > len(names):
        listed = t["members_more"].format(names=listed, n=absent)
    return f"{said}{'; ' if is_english else '，'}{t['members_unknown'].format(names=listed)}"
