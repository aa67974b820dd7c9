"""Ticket: a letter and a digit by which a person names one of his open incidents in a reply."""

import hashlib
from collections.abc import Set

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without I and O, which look like 1 and 0 on a phone."""
DIGITS = "23456789"
COUNT = len(LETTERS) * len(DIGITS)


def choose(incident: str, person: str, taken: Set[str]) -> str:
    """The same for one incident and person; not among `taken` while any is free."""
    start = int.from_bytes(hashlib.sha256(f"{incident}\0{person}".encode()).digest()[:4], "big")
    for offset in range(COUNT):
        number = (start + offset) % COUNT
        ticket = LETTERS[number // len(DIGITS)] + DIGITS[number % len(DIGITS)]
        if ticket not in taken:
            return ticket
    number = start % COUNT
    return LETTERS[number // len(DIGITS)] + DIGITS[number % len(DIGITS)]
