"""Run diff: `yujing rules diff OLD NEW INPUT…`; 0 also when much differs, 2 for a configuration."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from services.authoring.absent import with_stand_ins
from services.authoring.difference import (
    Difference,
    as_object,
    by_person,
    by_rule,
    difference,
    signed,
    summary,
)
from services.authoring.outcome import Outcome, outcome
from services.authoring.table import table
from services.rules.input_files import can_be_read_again
from shared.config.load import load
from shared.errors import InputError
from shared.model.instants import parse_duration

EXIT_FAILED = 1
MOST_NOTES = 20
"""Skipped lines that are shown; a file of another site is thousands."""


def parse_answering(text: str) -> tuple[int | None, str]:
    """(after how long somebody acknowledges, in words).

    Raises:
        InputError: neither a duration nor never.
    """
    if text == "never":
        return None, "nobody acknowledges"
    try:
        return parse_duration(text), f"acknowledged after {text}"
    except ValueError as error:
        raise InputError(f"--ack-after: {error}; or give never") from error


def run(
    old: Path, new: Path, inputs: Sequence[Path], ack_after: str, environ: Mapping[str, str],
    out: IO[str], err: IO[str], *, as_json: bool,
) -> int:  # fmt: skip
    """Both configurations over the same inputs, and what differs for the people who are told."""
    ack_after_us, answering = parse_answering(ack_after)
    missing = [path for path in inputs if not can_be_read_again(path)]
    for path in missing:
        print(f"{path}: no such file, and no data directory with a log.db", file=err)
    if missing:
        return EXIT_FAILED
    environment = with_stand_ins(environ)
    configurations = [load(directory, environment) for directory in (old, new)]
    outcomes = [outcome(each, list(inputs), ack_after_us) for each in configurations]
    notes_of(outcomes[0], err)
    if outcomes[0].notes != outcomes[1].notes:
        print(f"with {new}:", file=err)
        notes_of(outcomes[1], err)
    found = difference(*outcomes)
    if as_json:
        print(msgspec.json.encode(as_object(found, answering)).decode(), file=out)
        return 0
    _print_tables(found, out)
    if found.moved:
        print(f"\n{found.moved} alerts begin or end at another time", file=out)
    print("\n" + summary(found, answering), file=out)
    return 0


def _print_tables(found: Difference, out: IO[str]) -> None:
    rules = [
        (r["rule"], r["facility"], r["old"], r["new"], f"+{r['added']}", f"−{r['gone']}",
         r["severity_changed"])
        for r in by_rule(found)
    ]  # fmt: skip
    if rules:
        head = ("rule", "facility", "old", "new", "added", "gone", "severity")
        print(table(head, rules), file=out)
    people = [
        (p["person"], p["channel"], p["old"], p["new"], signed(p["new"] - p["old"]),
         p["old_night"], p["new_night"], p["old_withheld"], p["new_withheld"])
        for p in by_person(found)
    ]  # fmt: skip
    if people:
        head_of_people = (
            "person", "channel", "old", "new", "change", "night", "new", "withheld", "new"
        )  # fmt: skip
        print("\n" + table(head_of_people, people), file=out)


def notes_of(found: Outcome, err: IO[str]) -> None:
    """What ingest would have refused, the first of it."""
    for note in found.notes[:MOST_NOTES]:
        print(note, file=err)
    if len(found.notes) > MOST_NOTES:
        print(f"… and {len(found.notes) - MOST_NOTES} lines more were skipped", file=err)
