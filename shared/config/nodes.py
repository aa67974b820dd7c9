"""YAML with line numbers: plain values, and for every path in them the line it stands on.

Unquoted numbers are numbers that remember how they were written, because ids such as 000000,
passwords and clauses are text; everything else unquoted is text (08:00, 2026-01-01, no, true).
Any value may be `{env: NAME}` or `{file: PATH}`; what they hold never appears in an error.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

KeyPath = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_LONGEST_NUMBER = 40
"""Longer rows of digits are text: no configured number needs them, and int() is slow on them."""
DEEPEST = 32
MOST_VALUES = 5_000_000
"""50,000 outlets are about a million values; aliases of aliases could ask for billions."""
_UNPRINTABLE = "a control character stands in this file; delete it"
_QUOTED = frozenset(("'", '"', "|", ">"))


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong (or, as a warning, odd) and what to do about it."""

    file: str
    line: int
    text: str
    warning: bool = False

    def __str__(self) -> str:
        mark = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}: {mark}{self.text}"


class WrittenInt(int):
    """A whole number that remembers how it was written: ids such as 000000 are text."""

    text: str

    def __new__(cls, text: str) -> "WrittenInt":
        number = super().__new__(cls, text)
        number.text = text
        return number


class WrittenFloat(float):
    """A number with a fraction that remembers how it was written: clause 4.10 is text."""

    text: str

    def __new__(cls, text: str) -> "WrittenFloat":
        number = super().__new__(cls, text)
        number.text = text
        return number


class Indirect(str):
    """What a variable or a file holds. It may be a secret: no error shows it."""

    __slots__ = ()


class Document(msgspec.Struct):
    """One file: values, and the line of every path."""

    file: str
    value: Any
    lines: dict[KeyPath, int]
    kept: dict[str, list[int]] = {}
    """Where items of a list were left out because they are wrong: the places of the others."""

    def places(self, key: str, count: int) -> list[int]:
        """The places in the file of the `count` items that are left of the list `key`."""
        return self.kept.get(key) or list(range(count))

    def line(self, path: KeyPath) -> int:
        """The line of the longest known beginning of `path`."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class _Composer(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Nodes with their marks. Tags are ours to decide, and looking them up costs a third."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return "plain"

    def ascend_resolver(self) -> None:
        pass

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        pass


class _Reader:
    def __init__(self, file: str, root: Path, environ: Mapping[str, str]) -> None:
        self.file, self.root, self.environ = file, root, environ
        self.lines: dict[KeyPath, int] = {(): 1}
        self.findings: list[Finding] = []
        self.values = 0

    def fail(self, line: int, text: str) -> None:
        self.findings.append(Finding(self.file, line, text))

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES} values; split this file")
        if len(path) > DEEPEST:
            self.fail(node.start_mark.line + 1, f"nested deeper than {DEEPEST}; flatten it")
            return None
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.style in _QUOTED else _plain(node.value)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(child, (*path, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, path)

    def _item(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> Any:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.fail(line, "a key is a list or mapping; keys are words")
                continue
            key = key_node.value
            if key in mapping:
                self.fail(line, f"key {key!r} stands twice; delete one")
            self.lines[(*path, key)] = line
            mapping[key] = self.value(value_node, (*path, key))
        if len(mapping) == 1 and ("env" in mapping or "file" in mapping):
            return self._indirect(mapping, path, node.start_mark.line + 1)
        return mapping

    def _indirect(self, mapping: dict[Any, Any], path: KeyPath, line: int) -> Any:
        ((kind, name),) = mapping.items()
        if not isinstance(name, str) or not name:
            self.fail(line, f"{kind}: give a name")
            return None
        if kind == "env":
            if name not in self.environ:
                self.fail(line, f"variable {name} is not set; set it or write the value here")
                return None
            return Indirect(self.environ[name])
        try:
            return Indirect((self.root / name).read_text(encoding="utf-8").strip())
        except OSError as error:
            reason = str(error.strerror)
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        except ValueError:
            reason = "this is no path"
        self.fail(line, f"file {name} cannot be read: {reason}")
        return None


def _plain(text: str) -> Any:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    return number_or_text(text)


def number_or_text(text: str) -> Any:
    """The number that is written, else the text. No field of ours is a boolean."""
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.match(text):
        return WrittenInt(text)
    if _FLOAT.match(text):
        return WrittenFloat(text)
    if _SPECIAL.match(text):
        return float(text.replace(".", "", 1))
    return text


def read(path: Path, root: Path, environ: Mapping[str, str]) -> tuple[Document, list[Finding]]:
    """Read one file. Everything that is wrong comes back as findings."""
    file = path.relative_to(root).as_posix()
    reader = _Reader(file, root, environ)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return Document(file, None, {}), [Finding(file, 1, f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return Document(file, None, {}), [Finding(file, line, "not UTF-8; save the file as UTF-8")]
    try:
        node = yaml.compose(text, Loader=_Composer)
        value = None if node is None else reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return Document(file, None, {}), [Finding(file, line, _not_yaml(str(error.problem)))]
    except yaml.reader.ReaderError as error:
        line = text[: max(error.position, 0)].count("\n") + 1
        return Document(file, None, {}), [Finding(file, line, _UNPRINTABLE)]
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        return Document(file, None, {}), [Finding(file, 1, _not_yaml(reason))]
    return Document(file, value, reader.lines), reader.findings


def _not_yaml(problem: str) -> str:
    if "comment or line break" in problem:
        problem += '; text that begins with > or | stands in quotes, such as ">= 80"'
    elif "tab" in problem:
        problem += "; indent with blanks"
    elif "cannot start" in problem:
        problem += "; put the text in quotes"
    return f"not YAML: {problem}"
