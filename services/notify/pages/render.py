"""Templates and files of the page, read once; everything on it is ours."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

FILES = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class Renderer:
    """Writes pages in one language. Every value is escaped: names come from files of others."""

    def __init__(self, words: Mapping[str, str], site: str, *, drill: bool) -> None:
        self._templates = Environment(
            loader=PackageLoader("services.notify.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(t=words, site=site, drill=drill)

    def html(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(**values)


def static_files() -> dict[str, tuple[bytes, str, str]]:
    """Name -> (content, media type, ETag)."""
    folder = files("services.notify.pages") / "static"
    found = {}
    for name, media in FILES.items():
        content = (folder / name).read_bytes()
        found[name] = (content, media, etag(content))
    return found


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'
