"""Load a configuration directory: every error of every file at once, each with its line."""

import gc
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from shared.config import catalogue
from shared.config.assemble import assemble
from shared.config.assembly import Parts
from shared.config.lint import Remark, lint
from shared.config.never import never
from shared.config.nodes import Document, Finding, read
from shared.config.schema.files import FILES
from shared.config.schema.rules import PackFile
from shared.config.validate import Left, validate
from shared.errors import Bug, ConfigError
from shared.model.configuration import Configuration

PACKS = Path(__file__).parent / "packs"


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
    configuration, findings, _ = _build(directory, environ)
    if configuration is None:
        raise ConfigErrors([finding for finding in findings if not finding.warning])
    return configuration


def check(
    directory: Path, environ: Mapping[str, str]
) -> tuple[Configuration | None, list[Finding]]:
    """The configuration (None when it has errors) and all findings, warnings among them."""
    configuration, findings, parts = _build(directory, environ)
    if configuration is not None:
        remarks = [_at_its_line(remark, parts) for remark in lint(configuration)]
        findings = sorted({*findings, *remarks, *never(configuration, parts)})
    return configuration, findings


def _at_its_line(remark: Remark, parts: Parts) -> Finding:
    """A remark where its item stands; without one at the head of the part."""
    for document, model in parts[remark.key]:
        for place, entry in enumerate(getattr(model, remark.key)):
            if entry.id == remark.id:
                line = document.line((remark.key, place, "id"))
                return Finding(document.file, line, remark.text, True)
    file = parts[remark.key][0][0].file if parts[remark.key] else f"{remark.key}.yaml"
    return Finding(file, 1, remark.text, True)


def _build(
    directory: Path, environ: Mapping[str, str]
) -> tuple[Configuration | None, list[Finding], Parts]:
    # Millions of small objects are made and nearly all are kept: at 50,000 outlets looking for
    # garbage among them again and again takes longer than reading.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _read_and_build(directory, environ)
    finally:
        if collects:
            gc.enable()


def _read_and_build(
    directory: Path, environ: Mapping[str, str]
) -> tuple[Configuration | None, list[Finding], Parts]:
    parts: Parts = {name: [] for name in FILES}
    if not directory.is_dir():
        return None, [Finding(directory.name, 1, "no such directory; give --config DIR")], parts
    findings: list[Finding] = []
    left = Left()
    try:
        files = [*_files(directory, findings)]
    except OSError as error:
        return None, [Finding(directory.name, 1, f"cannot be read: {error.strerror}")], parts
    for name, path in files:
        document, found = read(path, directory, environ)
        findings += found
        if found and document.value is None:
            left.lists |= {name, "stations", "flags"} if name == "facilities" else {name}
            continue
        model = validate(FILES[name], document, findings, left)
        if model is not None:
            parts[name].append((document, model))
    if not any(name == "site" for name, _ in files):
        findings.append(Finding("site.yaml", 1, "there is no site.yaml; it names the site"))
    configuration, found = assemble(parts, _packs(), catalogue.shipped(), left)
    findings = sorted({*findings, *found})
    if any(not finding.warning for finding in findings):
        return None, findings, parts
    return configuration, findings, parts


def _files(directory: Path, findings: list[Finding]) -> Iterator[tuple[str, Path]]:
    """Every file that is read, as (which part, path), in order; others are warned of."""
    known = {f"{name}.yaml" for name in FILES} | set(FILES)
    for path in sorted(directory.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in known:
            text = f"this file is not read; known are {', '.join(FILES)}, each NAME.yaml"
            findings.append(Finding(path.name, 1, text, True))
    for name in FILES:
        single, folder = directory / f"{name}.yaml", directory / name
        if single.exists() and folder.is_dir():
            text = f"{name}.yaml and the folder {name}/ both exist; keep one"
            findings.append(Finding(single.name, 1, text))
        if single.exists():
            yield name, single
        elif folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.suffix == ".yaml" and not path.name.startswith("."):
                    yield name, path
                elif path.suffix == ".yml":
                    text = "this file is not read; name it .yaml"
                    findings.append(Finding(f"{name}/{path.name}", 1, text, True))


def shipped_packs() -> dict[str, PackFile]:
    """Every shipped pack by name, as its file has it."""
    return {name: pack for name, (_, pack) in _packs().items()}


@cache
def _packs() -> dict[str, tuple[Document, PackFile]]:
    """Every shipped pack by name. A broken one is our bug and says so."""
    packs = {}
    for path in sorted(PACKS.glob("*.yaml")):
        document, findings = read(path, PACKS, {})
        pack = validate(PackFile, document, findings, Left())
        if findings or pack is None:
            raise Bug("pack " + "; ".join(str(finding) for finding in findings))
        packs[path.stem] = (document, pack)
    return packs
