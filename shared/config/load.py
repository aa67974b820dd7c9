"""Load a configuration directory: every error of every file at once, each with its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.config import assemble, catalogue
from shared.config.nodes import Document, Finding, KeyPath, read
from shared.config.schema import FILES, Model, PackFile
from shared.errors import ConfigError
from shared.model.configuration import Configuration

PACKS = Path(__file__).parent / "packs"
_SECRET = frozenset(("token", "secret_key", "password", "address"))


class ConfigErrors(ConfigError):
    """Everything that is wrong, in order of file and line."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def load(directory: Path, environ: Mapping[str, str]) -> Configuration:
    """Read, check and resolve a configuration directory.

    Raises:
        ConfigErrors: one finding per error; nothing was opened for writing.
    """
    configuration, findings = check(directory, environ)
    errors = [finding for finding in findings if not finding.warning]
    if errors or configuration is None:
        raise ConfigErrors(errors)
    return configuration


def check(
    directory: Path, environ: Mapping[str, str]
) -> tuple[Configuration | None, list[Finding]]:
    """The configuration (None when it has errors) and all findings, warnings among them."""
    if not directory.is_dir():
        return None, [Finding(directory.name, 1, "no such directory; give --config DIR")]
    findings: list[Finding] = []
    parts: dict[str, list[tuple[Document, Model]]] = {name: [] for name in FILES}
    for name, path in _files(directory, findings):
        document, found = read(path, directory, environ)
        findings += found
        if found and document.value is None:
            continue
        model = validate(FILES[name], document, findings)
        if model is not None:
            parts[name].append((document, model))
    if not parts["site"] and not any(f.file.startswith("site") for f in findings):
        findings.append(Finding("site.yaml", 1, "there is no site.yaml; it names the site"))
    if any(not finding.warning for finding in findings):
        return None, sorted(findings)
    configuration, found = assemble.assemble(parts, _packs(), catalogue.shipped())
    findings += found
    if any(not finding.warning for finding in findings):
        return None, sorted(findings)
    return configuration, sorted(findings)


def _files(directory: Path, findings: list[Finding]) -> list[tuple[str, Path]]:
    files = []
    for name in FILES:
        single, folder = directory / f"{name}.yaml", directory / name
        if single.exists() and folder.is_dir():
            findings.append(
                Finding(
                    f"{name}.yaml", 1, f"{name}.yaml and the folder {name}/ both exist; keep one"
                )
            )
        if single.exists():
            files.append((name, single))
        elif folder.is_dir():
            files += [(name, path) for path in sorted(folder.glob("*.yaml"))]
    known = {f"{name}.yaml" for name in FILES} | set(FILES)
    for path in sorted(directory.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in known:
            findings.append(
                Finding(
                    path.name, 1, f"this file is not read; known are {', '.join(FILES)}.yaml", True
                )
            )
    return files


def validate(model: type[Model], document: Document, findings: list[Finding]) -> Any:
    """One file against its schema; what is wrong becomes findings and None comes back."""
    if document.value is None:
        document.value = {}
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            findings.append(_finding(document, detail))
        return None


def _finding(document: Document, detail: ErrorDetails) -> Finding:
    path = _known_path(detail["loc"])
    name = str(path[-1]) if path else "this file"
    line = document.line(path)
    seen = detail.get("input")
    match detail["type"]:
        case "missing":
            return Finding(document.file, line, f"{name} is missing; add it")
        case "extra_forbidden":
            return Finding(document.file, line, f"unknown key {name!r}; delete it or correct it")
        case "value_error":
            text = str(detail["ctx"]["error"])
        case kind if kind.startswith("union_tag"):
            return Finding(
                document.file,
                line,
                f"kind is {_shown(name, _kind(seen))}; give one of kannel, smtp, local",
            )
        case _:
            text = detail["msg"]
    hidden = any(str(part) in _SECRET for part in path)
    shown = "" if hidden or isinstance(seen, dict | list) else f" is {_shown(name, seen)}"
    return Finding(document.file, line, f"{name}{shown}: {text}")


def _kind(seen: object) -> object:
    return seen.get("kind") if isinstance(seen, dict) else None


def _shown(name: str, value: object) -> str:
    text = repr(value.text if hasattr(value, "text") else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _known_path(loc: tuple[int | str, ...]) -> KeyPath:
    """pydantic's path without the tags of unions that it puts between keys."""
    return tuple(part for part in loc if part not in ("kannel", "smtp", "local"))


def _packs() -> dict[str, tuple[Document, PackFile]]:
    """Every shipped pack by name. A broken one is our bug and says so."""
    packs = {}
    for path in sorted(PACKS.glob("*.yaml")):
        document, findings = read(path, PACKS, {})
        pack = validate(PackFile, document, findings)
        if findings or pack is None:
            raise ConfigErrors([Finding(f"pack {f.file}", f.line, f.text) for f in findings])
        packs[path.stem] = (document, pack)
    return packs
