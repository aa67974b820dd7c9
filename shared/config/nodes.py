"""YAML with line numbers: plain values, and for every path in them the line it stands on.

Scalars follow the YAML 1.2 core schema (a time such as 08:00 is text, `no` is text). Any value
may be `{env: NAME}` or `{file: PATH}`; what they name never appears in an error.
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
DEEPEST = 32
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


class Document(msgspec.Struct):
    """One file: values, and the line of every path."""

    file: str
    value: Any
    lines: dict[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of the longest known beginning of `path`."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class _Reader:
    def __init__(self, file: str, root: Path, environ: Mapping[str, str]) -> None:
        self.file, self.root, self.environ = file, root, environ
        self.lines: dict[KeyPath, int] = {(): 1}
        self.findings: list[Finding] = []

    def fail(self, line: int, text: str) -> None:
        self.findings.append(Finding(self.file, line, text))

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
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
            return self.environ[name]
        try:
            return (self.root / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.fail(line, f"file {name} cannot be read: {reason}")
            return None


def _plain(text: str) -> Any:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.match(text):
        return WrittenInt(text)
    if _FLOAT.match(text):
        return float(text)
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
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        node = yaml.compose(text, Loader=loader)
        value = None if node is None else reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return Document(file, None, {}), [Finding(file, line, f"not YAML: {error.problem}")]
    except (yaml.YAMLError, RecursionError) as error:
        return Document(file, None, {}), [Finding(file, 1, f"not YAML: {error}")]
    return Document(file, value, reader.lines), reader.findings
