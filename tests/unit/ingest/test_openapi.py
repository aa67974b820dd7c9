"""The published description of the routes is held against the routes there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest_house import House

from shared.http.basics import openapi_route
from shared.http.openapi import document

ROOT = Path(__file__).parents[3]
DOCUMENT = document("1")
PAGES = ("page.py", "silence_page.py", "campaign_page.py")


def routes() -> set[str]:
    """Every path given to a Route in the sources; the page's own routes are its own affair."""
    found: set[str] = set()
    for path in [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/http/*.py")]:
        if "pages" not in path.parts and path.name not in PAGES:
            found |= set(re.findall(r'Route\(\s*"([^"]+)"', path.read_text(encoding="utf-8")))
    return {re.sub(r":\w+}", "}", path) for path in found}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_every_route_is_described_and_no_other() -> None:
    """A route that is added without a description fails here."""
    assert set(DOCUMENT["paths"]) == routes()


def test_every_reference_resolves_and_every_schema_is_used() -> None:
    """The document stands by itself."""
    used = {node["$ref"].rpartition("/")[2] for node in nodes(DOCUMENT) if "$ref" in node}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_every_operation_has_answers_and_its_path_parameters() -> None:
    """As OpenAPI 3.1 demands."""
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["responses"]
            given = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert given == set(re.findall(r"{(\w+)}", path))


def test_required_fields_are_described() -> None:
    """A schema that demands what it does not describe helps nobody."""
    for schema in nodes(DOCUMENT["components"]["schemas"]):
        if schema.get("type") == "object" and isinstance(schema.get("required"), list):
            assert set(schema["required"]) <= set(schema["properties"])


def test_it_is_served_without_a_token(house: House) -> None:
    """As JSON."""
    house.app.router.routes.append(openapi_route(DOCUMENT))
    found = house.ask("GET", "/openapi.json")
    assert found.json()["openapi"] == "3.1.0"
