"""Clauses: where in a standard a limit stands, as Chinese readers cite it: 表 1, 附录 A, 第 4.1 条."""

import re

_PARTS = (
    (re.compile(r"\btables? (\w+) and (\w+)"), r"表 \1、表 \2"),
    (re.compile(r"\btable (\w+)"), r"表 \1"),
    (re.compile(r"\b(?:annex|appendix) (\w+)", re.IGNORECASE), r"附录 \1"),
    (re.compile(r"\b(?:clause|section) ([\d.]+)"), r"第 \1 条"),
    (re.compile(r", "), "，"),
)


def clause_words(clause: str, *, english: bool) -> str:
    """The words of a configuration are English; a clause that is written in Chinese stays."""
    if clause in ("", "-"):
        return ""
    if not english:
        for form, said in _PARTS:
            clause = form.sub(said, clause)
    return clause
