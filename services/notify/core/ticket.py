"""Ticket: a letter and a digit that name one incident to one person in a reply."""

import hashlib

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without I and O, which phones show like 1 and 0."""
DIGITS = "23456789"
TICKETS = tuple(letter + digit for letter in LETTERS for digit in DIGITS)


def ticket(incident: str, person: str, taken: set[str]) -> str:
    """
    One of 192, the same for the same incident and person while `taken` is.

    `taken` are the tickets of the person's other incidents that are open or may reopen. Should
    all be taken, an old one is given again: a reply then means the newest message with it.
    """
    digest = hashlib.sha256(f"{incident}\n{person}".encode()).digest()
    start = int.from_bytes(digest[:4], "big")
    for offset in range(len(TICKETS)):
        candidate = TICKETS[(start + offset) % len(TICKETS)]
        if candidate not in taken:
            return candidate
    return TICKETS[start % len(TICKETS)]
