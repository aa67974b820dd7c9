"""Errors over HTTP: RFC 9457 problems, and the page that explains each name."""

import html
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shared.reports.candidate import Reason, Rejection
from shared.reports.parse import TITLES

PUBLIC: dict[Reason, str] = {
    "not-yours": "令牌只能上报自己的设施。请使用为该设施发放的令牌。",
    "unknown-facility": "没有这个设施。请核对编号，或在 facilities.yaml 中增加。",
    "unknown-station": "该设施没有这个站点，或有多个站点而未写明。",
    "unknown-indicator": "没有这个指标。请用 HJ 212 编码或配置中的名称。",
    "unknown-unit": "单位无法换算到该指标的单位。",
    "bad-json": "不是 JSON，或压缩内容损坏。",
    "bad-field": "某个字段缺少、多余或类型不对；pointer 指出位置。",
    "bad-time": "不是 RFC 3339 时间。",
    "bad-number": "不是有限的数。",
    "in-the-future": "时间窗起点比本机时钟晚 10 分钟以上。请校准发送方时钟。",
    "too-large": "解压后超过 16 MiB。请分批。",
    "too-many": "一次超过 10000 条。请分批。",
    "unauthorized": "需要 Authorization: Bearer 令牌。",
    "forbidden": "这种令牌不能做这件事。",
    "not-found": "没有，或不归您管。",
    "resolved": "已经恢复，不用再确认。",
    "log-away": "日志暂时写不进去，什么都没有收下。请按 Retry-After 重试。",
    "slow-down": "来得太快。请按 Retry-After 重试。",
}
"""Every name of contract §3, with what it means in Chinese; the title is English."""


def problem(
    status: int,
    name: Reason,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """A whole-request error."""
    body = {"type": f"/problems/{name}", "title": TITLES[name], "status": status, "detail": detail}
    return Response(
        msgspec.json.encode(body | more),
        status,
        headers,
        media_type="application/problem+json",
    )


def item_problem(index: int, refused: Rejection) -> dict[str, Any]:
    """One refused item of a body that holds several."""
    return {
        "index": index,
        "type": f"/problems/{refused.reason}",
        "title": refused.title,
        "detail": refused.detail,
        "pointer": refused.pointer,
    }


async def _page(request: Request) -> Response:
    name = request.path_params["name"]
    for known, chinese in PUBLIC.items():
        if known == name:
            return HTMLResponse(
                f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{known}</title>'
                f"<h1>{html.escape(TITLES[known])}</h1><p>{chinese}</p><p><code>{known}</code></p>"
            )
    return problem(404, "not-found", "there is no problem of this name")


def problem_pages() -> list[Route]:
    """`GET /problems/NAME`: what a name means and what to do."""
    return [Route("/problems/{name}", _page)]
