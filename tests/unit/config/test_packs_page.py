"""docs/packs.md: current, and honest about what was read and what is left out."""

import re

from shared.config.load import shipped_packs
from shared.config.packs_page import PAGE, page

OFFICIAL = re.compile(r"超标|限值|法定|国标|标准|limit|standard|statutory|legal")


def test_the_page_is_current() -> None:
    """`make schemas` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_rule_stands_in_the_page_once() -> None:
    """With its number and its status."""
    lines = page().splitlines()
    for pack in shipped_packs().values():
        for rule in pack.rules:
            (line,) = [text for text in lines if text.startswith(f"| {rule.id} |")]
            assert line.endswith(f"| {rule.basis.status} |")


def test_every_pack_says_what_it_leaves_out() -> None:
    """Silence about a limit must not be taken for compliance."""
    for name, pack in shipped_packs().items():
        assert pack.absent, name
        for line in pack.absent:
            assert f"- {line.strip()}\n" in page()


def test_a_number_that_was_not_read_is_never_called_a_limit_of_the_standard() -> None:
    """Neither in the title nor in what to do, in both languages."""
    for pack in shipped_packs().values():
        for rule in pack.rules:
            if rule.basis.status == "verified":
                continue
            for text in (rule.title, rule.action):
                words = f"{text.zh} {text.en}" if text else ""
                assert not OFFICIAL.search(words), f"{rule.id}: {words}"
