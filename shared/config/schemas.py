"""JSON Schemas of the configuration files, for editors: `python -m shared.config.schemas --write`."""

import json
import sys
from pathlib import Path
from typing import Any

from shared.config.inline import KEYS, OPTIONAL
from shared.config.schema.base import Model
from shared.config.schema.cases import CaseFile
from shared.config.schema.files import FILES

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


_INDIRECT = {
    "oneOf": [
        {"type": "object", "properties": {key: {"type": "string"}}, "required": [key],
         "additionalProperties": False}
        for key in ("env", "file")
    ]
}  # fmt: skip
_SCALARS = frozenset(("string", "number", "integer"))


def schemas() -> dict[str, str]:
    """File name to text."""
    found = {f"{name}.schema.json": _text(with_scalars(model)) for name, model in FILES.items()}
    return found | {"cases.schema.json": _text(cases())}


def with_scalars(model: type[Model]) -> dict[str, Any]:
    """The schema of one file."""
    schema: dict[str, Any] = _with_indirect(model.model_json_schema())
    schema.setdefault("$defs", {})["Indirect"] = _INDIRECT
    return schema


def cases() -> dict[str, Any]:
    """Of the cases of `yujing rules test`: a configuration may stand in them, with defaults."""
    schema = with_scalars(CaseFile)
    for model in FILES.values():
        part = with_scalars(model)
        schema["$defs"] |= part["$defs"]
        schema["properties"] |= {
            key: value for key, value in part["properties"].items() if key in KEYS
        }
    for name, given in OPTIONAL.items():
        there = schema["$defs"][name]
        there["required"] = [key for key in there["required"] if key not in given]
    inside = [{"required": [key]} for key in KEYS]
    schema["oneOf"] = [{"required": ["config"]}, {"anyOf": inside}]
    return schema


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _with_indirect(schema: Any) -> Any:
    """Any single value may also be `{env: NAME}` or `{file: PATH}`."""
    if isinstance(schema, list):
        return [_with_indirect(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {key: _with_indirect(part) for key, part in schema.items()}
    if isinstance(whole.get("type"), str) and whole["type"] in _SCALARS:
        outside = {key: whole.pop(key) for key in ("default", "title") if key in whole}
        return {"anyOf": [whole, {"$ref": "#/$defs/Indirect"}], **outside}
    return whole


def stale() -> list[str]:
    """Names of published schemas that differ from the code."""
    return [
        name
        for name, text in schemas().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    if "--write" in sys.argv:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in schemas().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    for name in stale():
        print(f"docs/schemas/{name} is not current; run `make schemas`", file=sys.stderr)
    return 1 if stale() else 0


if __name__ == "__main__":
    sys.exit(main())
