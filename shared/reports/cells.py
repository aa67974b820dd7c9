"""Cells: how people write yes and a revision; what is neither stays, and is refused by name."""

import unicodedata

YES = frozenset({"是", "撤回", "√", "yes", "y", "true", "1"})
NO = frozenset({"否", "no", "n", "false", "0"})


def yes_or_no(cell: object) -> object:
    """True or False; anything else as it is."""
    if isinstance(cell, bool):
        return cell
    text = _plain(cell)
    return True if text in YES else False if text in NO else cell


def whole(cell: object) -> object:
    """A whole number, also as text or as the float that Excel keeps; anything else as it is."""
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if not isinstance(cell, str):
        return cell
    text = _plain(cell)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else cell


def _plain(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return unicodedata.normalize("NFKC", str(cell)).strip().casefold()
