"""One line of the bench: what was measured, and the limit it cannot pass, from the same run.

Every `bench_*.py` offers `def run() -> list[Row]`; `python -m tests.bench` calls them all.
"""

from collections.abc import Iterable

import msgspec


class Row(msgspec.Struct, frozen=True):
    """A figure and the ceiling above it (decode only, a bare server, the fsync rate)."""

    name: str
    value: float
    unit: str
    limit_name: str = ""
    limit_value: float | None = None
    note: str = ""


def figure(value: float | None) -> str:
    """Three significant digits, thousands apart: 1,234,000 or 0.0123."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def share(row: Row) -> str:
    """How much of the limit is used; nothing where there is none."""
    if not row.limit_value or not row.value:
        return ""
    return f"{figure(row.value / row.limit_value)}×"


def markdown(rows: Iterable[Row]) -> str:
    """The rows as one table."""
    lines = [
        "| what | measured | unit | limit | its figure | of it | note |",
        "|---|---:|---|---|---:|---:|---|",
    ]
    lines += [
        f"| {row.name} | {figure(row.value)} | {row.unit} | {row.limit_name} "
        f"| {figure(row.limit_value)} | {share(row)} | {row.note} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
