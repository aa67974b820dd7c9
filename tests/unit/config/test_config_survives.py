"""Whatever stands in a configuration, the answer is a configuration or lines, never a crash."""

import copy
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from shared.config.load import check

LINE = re.compile(r"[a-z/]+\.yaml:[1-9]\d*: \S.*\Z")
ODD: list[Any] = [
    None, "", " ", 0, -1, 2**70, 1.5, float("nan"), float("inf"), True, "true", "08:00", "1d", "-1s",
    ">= 1", "< x", "2026-02-30", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "000000",
    [], [[]], [None], {}, {"env": "NONE"}, {"file": "../none"}, {"env": ["x"]}, {"id": "x"},
    "sms", "qin", "430100", "430000", "parent", "mw.disposed_t", "长" * 1001, "🙂", "a b", "*", "[",
    "http://[", "http://x:99999", "\x7f", "<<", "1e999", "/etc",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree of mappings and lists."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    below = [place for key in keys for place in places(value[key], (*path, key))]
    return [path, *below]


def changed(random: Random, tree: Any) -> Any:
    """The tree with one value replaced, deleted or doubled."""
    tree = copy.deepcopy(tree)
    place = random.choice(places(tree))
    if not place:
        return random.choice(ODD)
    parent = tree
    for key in place[:-1]:
        parent = parent[key]
    match random.randrange(4):
        case 0:
            del parent[place[-1]]
        case 1 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[place[-1]]))
        case _:
            parent[place[-1]] = random.choice(ODD)
    return tree


@pytest.mark.parametrize("seed", range(6))
def test_any_change_of_any_value_is_taken_or_named(directory, seed):
    """Many small mistakes at once; each error is one line that begins with a place."""
    random = Random(seed)
    files = sorted(directory.root.glob("*.yaml"))
    trees = {file: yaml.load(file.read_text(encoding="utf-8"), yaml.SafeLoader) for file in files}
    assert directory.errors() == []
    for _ in range(12):
        for file in random.sample(files, random.choice((1, 1, 2, 4))):
            text = yaml.safe_dump(changed(random, trees[file]), allow_unicode=True)
            file.write_text(text, encoding="utf-8")
        for error in directory.errors():
            assert LINE.match(error), error
            for secret in directory.environ.values():
                assert secret not in error
        _, findings = check(directory.root, directory.environ)
        assert all(LINE.match(str(finding)) for finding in findings)
        for file in files:
            file.write_text(yaml.safe_dump(trees[file], allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize("seed", range(3))
def test_any_cut_or_noise_in_a_file_is_taken_or_named(directory, seed):
    """A disk that lost the end of a file, an editor that left its marks."""
    random = Random(seed)
    files = sorted(directory.root.glob("*.yaml"))
    for _ in range(12):
        file: Path = random.choice(files)
        body = file.read_bytes()
        at = random.randrange(len(body))
        noise = bytes(random.randrange(256) for _ in range(random.randrange(3)))
        file.write_bytes(body[:at] + noise + (body[at:] if random.random() < 0.5 else b""))
        for error in directory.errors():
            assert LINE.match(error), error
        file.write_bytes(body)
