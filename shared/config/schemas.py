"""JSON Schemas of the configuration files, for editors: `python -m shared.config.schemas --write`."""

import json
import sys
from pathlib import Path

from shared.config.schema import FILES

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def schemas() -> dict[str, str]:
    """File name to text."""
    return {
        f"{name}.schema.json": json.dumps(
            model.model_json_schema(), ensure_ascii=False, indent=1, sort_keys=True
        )
        + "\n"
        for name, model in FILES.items()
    }


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
