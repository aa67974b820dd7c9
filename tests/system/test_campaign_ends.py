"""The real program on the scenario clock: a campaign ends, and a day later its report is a file."""

from collections.abc import Callable
from pathlib import Path

from shared.testing.configs import Site
from shared.testing.program import Program, until

Serve = Callable[..., Program]


def test_the_report_of_a_campaign_comes_by_itself(serve: Serve, site: Site, tmp_path: Path) -> None:
    """36 hours in four seconds; the file is in words and is not made again."""
    (rule,) = site.documents["rules"]["rules"]
    site.documents["campaigns"] = {
        "campaigns": [
            {"id": "spring", "title": {"zh": "春季行动"}, "from": "2026-03-01", "to": "2026-04-01",
             "territories": [site.province],
             "rules": [{"rule": rule["id"],
                        "levels": [{"severity": "red", "raise": f"> {site.low / 2:g}"}]}],
             "basis": {"standard": "示例", "edition": "2026", "clause": "1"}}
        ]
    }  # fmt: skip
    program = serve(arguments=["--clock", "2026-03-31T18:00:00+08:00,x36000"])
    folder = program.data / "campaigns"
    (written,) = until(lambda: list(folder.glob("spring-*.txt")), 60, what="the report")
    assert "春季行动" in written.read_text(encoding="utf-8")
    made = written.stat().st_mtime_ns
    assert program.stop() == 0
    assert written.stat().st_mtime_ns == made
    assert not list(folder.glob("*.partial"))
