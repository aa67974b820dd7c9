"""Inline: a whole configuration inside another YAML file, as cases of rules carry it.

The keys are those of the directory's files; what a case does not care about has a default.
Lines in findings are those of the file it stands in.
"""

from typing import Any

from shared.config import catalogue
from shared.config.assemble import assemble
from shared.config.assembly import Parts
from shared.config.load import _packs
from shared.config.nodes import Document, Finding
from shared.config.schema.files import FILES
from shared.config.validate import Left, validate
from shared.model.configuration import Configuration
from shared.model.facility import NATION

_KEYS: dict[str, tuple[str, ...]] = {
    "site": ("site", "timing"),
    "facilities": ("facilities", "stations"),
    "rules": ("rules", "packs"),
}
"""The keys of the parts that have others than their own name."""
KEYS = tuple(key for name in FILES for key in _KEYS.get(name, (name,)))
_SITE = {
    "name": "测试",
    "timezone": "Asia/Shanghai",
    "base_url": "http://127.0.0.1:8620",
    "secret_key": "a-case-of-rules-signs-nothing-and-no-link",
}
OPTIONAL = {
    "FacilityModel": ("name", "territory"),
    "RuleModel": ("basis",),
    "SiteModel": tuple(_SITE),
}
"""Keys that a case may leave out of each part of a configuration, since `_with_defaults` has them."""
_BASIS = {"standard": "none", "edition": "-", "clause": "-", "valid_from": "1970-01-01"}


def inline(document: Document) -> tuple[Configuration | None, list[Finding]]:
    """The configuration that stands in this file, or what is wrong with it."""
    parts: Parts = {}
    findings: list[Finding] = []
    left = Left()
    for name, model in FILES.items():
        given = {key: document.value[key] for key in _keys(name) if key in document.value}
        part = Document(document.file, _with_defaults(name, given), document.lines)
        built = validate(model, part, findings, left)
        parts[name] = [] if built is None else [(part, built)]
    configuration, found = assemble(parts, _packs(), catalogue.shipped(), left)
    findings = sorted({*findings, *found})
    if any(not finding.warning for finding in findings):
        return None, findings
    return configuration, findings


def _keys(name: str) -> tuple[str, ...]:
    return _KEYS.get(name, (name,))


def _with_defaults(name: str, given: dict[str, Any]) -> dict[str, Any]:
    if name == "site":
        site = given.get("site", {})
        return {"version": 1, **given, "site": {**_SITE, **site} if _is_map(site) else site}
    if name == "facilities" and isinstance(given.get("facilities"), list):
        made = [
            {"name": each.get("id"), "territory": NATION, **each} if _is_map(each) else each
            for each in given["facilities"]
        ]
        return {**given, "facilities": made}
    if name == "rules" and isinstance(given.get("rules"), list):
        made = [{"basis": _BASIS, **each} if _is_map(each) else each for each in given["rules"]]
        return {**given, "rules": made}
    return given


def _is_map(value: object) -> bool:
    return isinstance(value, dict)
