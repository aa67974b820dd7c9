"""Table: columns that line up in a terminal, where a Chinese character is two wide."""

from collections.abc import Sequence
from unicodedata import east_asian_width


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Numbers to the right, words to the left."""
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    right = [all(_is_number(each) for each in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in cells:
        padded = [
            " " * (wide - width(cell)) + cell if to_right else cell + " " * (wide - width(cell))
            for cell, wide, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int) or str(cell)[:1] in "+−±"
