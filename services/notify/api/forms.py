"""Forms of our own pages: what is read of them, how far, and the headers of every answer."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from services.notify.api.incidents import TooLong, bounded_body
from services.notify.api.who import Who
from services.notify.pages.render import Renderer
from shared.http.problems import problem

LONGEST_FORM = 8192

SAFE = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    # same-origin, not no-referrer: with that a browser sends `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def own_form(
    request: Request, who: Who, renderer: Renderer, t: Any
) -> dict[str, str] | Response:
    """The fields of a form of our own page, or the answer that says why not."""
    if not who.is_own_page(request):
        html = renderer.html("notice.html", problem=t["not_own_page"], hint=None)
        return HTMLResponse(html, 403, SAFE)
    try:
        body = await bounded_body(request, LONGEST_FORM)
    except ClientDisconnect:
        return Response(status_code=400)
    except TooLong:
        return problem(413, "too-large", f"the form is over {LONGEST_FORM} bytes")
    return await form_fields(request, body)


async def form_fields(request: Request, body: bytes) -> dict[str, str]:
    """Fields of an urlencoded or multipart form; a file field is left out."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):

        async def once() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        form = await Request(request.scope, once).form(max_files=0, max_fields=16)
        return {name: value for name, value in form.items() if isinstance(value, str)}
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=64)
    return dict(pairs)
