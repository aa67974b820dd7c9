"""Lint of history: a rule that remembers longer than readings are kept to amend its history."""

from collections.abc import Iterator

from shared.model.configuration import Configuration

DAY_US = 86_400_000_000


def too_short(c: Configuration) -> Iterator[tuple[str | None, str]]:
    """(rule, warning); a pack's rules have no line in this configuration."""
    keep_us = c.history_keep_us
    if keep_us is None:
        return
    for rule in c.rules.values():
        memory_us = getattr(rule.condition, "memory_us", None)
        if memory_us is not None and memory_us > keep_us:
            text = (
                f"rule {rule.id} remembers {memory_us / DAY_US:g} days and history keeps "
                f"{keep_us / DAY_US:g}: its history is made from too little; keep longer in site.yaml"
            )
            yield (rule.id if rule.pack is None else None), text
