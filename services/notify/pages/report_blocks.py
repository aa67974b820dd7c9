"""Report blocks: a report of the command line as tables and sentences, so that a phone can show it.

In a terminal columns stand below each other by blanks; a browser's font need not keep that.
"""

import re

import msgspec

_APART = re.compile(r" {2,}")
MOST_ROWS = 500


class Block(msgspec.Struct, frozen=True):
    """A table with its head, or lines of words."""

    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()


def report_blocks(text: str) -> list[Block]:
    """Blocks stand apart by empty lines; in a table every line has as many cells as its head."""
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in part.splitlines()][: MOST_ROWS + 1]
        cells = [tuple(_APART.split(line.strip())) for line in lines]
        if len(cells) > 1 and len(cells[0]) > 1 and len({len(row) for row in cells}) == 1:
            found.append(Block(head=cells[0], rows=tuple(cells[1:])))
        elif part.strip():
            found.append(Block(lines=tuple(lines)))
    return found
