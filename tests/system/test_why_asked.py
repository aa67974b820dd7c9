"""`yujing why` at the real program: of a series, a person and a report, with one minute between."""

import os
import subprocess
import sys
from collections.abc import Callable

from shared.testing.configs import STATION_CODE, Site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import ROOT, Program, now_text, reading, until

Serve = Callable[..., Program]


def asked(program: Program, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("YUJING_")} | {
        "YUJING_URL": f"http://127.0.0.1:{program.site.http_port}",
        "YUJING_TOKEN": program.site.officer_token,
    }
    done = subprocess.run(
        [sys.executable, "-m", "services", "why", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_why_was_nobody_told(serve: Serve, site: Site, gateway: Gateway) -> None:
    """Below the limit nobody is told and the rule says so; above it the leader's step waits."""
    program = serve()
    facility, (duty, leader) = site.facilities[0], site.people[:2]
    calm = reading(facility, site.low * 0.5, at=now_text(-2.0)) | {"id": "calm"}
    assert program.post(calm).status_code == 202
    series = f"{facility.id}/{facility.station}/{STATION_CODE}"

    def said(text: str) -> str:
        code, shown = asked(program, series, "--at", now_text())
        assert code == 0, shown
        assert text in shown
        return shown

    until(lambda: said("未越线"), 20.0, 0.5)
    before = now_text()
    program.report(facility, site.low * 1.2)
    assert gateway.wait_for(1)[0].recipient == duty.phone
    until(lambda: said("已在报警"), 20.0, 0.5)
    code, shown = asked(program, series, "--at", before)
    assert code == 0 and "未越线" in shown, shown

    code, shown = asked(program, "--person", duty.id, "--at", now_text())
    assert code == 0 and "已通知" in shown, shown
    assert duty.phone not in shown
    code, shown = asked(program, "--person", leader.id, "--at", now_text())
    assert code == 1 and "no such person" in shown, "he is of the province, above this officer"
    late = program.get("/v1/why/person", person=leader.id, at=now_text())
    assert late["incidents"][0]["stage"] == "not-his-step"

    code, shown = asked(program, "calm")
    assert code == 0 and "it changed no episode" in shown, shown
    code, shown = asked(program, f"{facility.id}/what", "--at", "noon")
    assert code == 1 and "what" in shown
