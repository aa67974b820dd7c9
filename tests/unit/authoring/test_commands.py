"""The commands as they are typed: exit codes, streams, and the worker beside `test` and `diff`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from tests.unit.authoring.trial_site import write_hours, write_site

ENVIRON = {"SITE_KEY": "0" * 32, "LI_PHONE": "13900000001", "KANNEL": "x"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_hours(tmp_path / "hours.csv", f1="20 70 20", f2="20 20 20")
    return write_site(tmp_path / "site")


def typed(*words: object, environ: dict[str, str] | None = None) -> tuple[int, str, str]:
    cleared = dict.fromkeys(("YUJING_CONFIG", "YUJING_DATA"))
    done = CliRunner().invoke(app, [str(w) for w in words], env={**cleared, **(environ or {})})
    return done.exit_code, done.stdout, done.stderr


def test_rules_test_says_how_many_passed(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    file = "deploy/examples/rules/residual-chlorine.yaml"
    code, out, _ = typed("rules", "test", file, "--junit", junit)
    assert (code, out.splitlines()[-1]) == (0, "3 passed, 0 failed")
    assert 'tests="3"' in junit.read_text()


def test_a_file_that_is_not_there_is_a_wrong_file(tmp_path: Path) -> None:
    code, _, err = typed("rules", "test", tmp_path / "no.yaml")
    assert code == 2
    assert "no such file" in err


def test_rules_diff_needs_no_secret(site: Path) -> None:
    code, out, _ = typed("rules", "diff", site, site, site.parent / "hours.csv")
    assert code == 0
    assert out.splitlines()[-1].endswith("(acknowledged after 10m)")


def test_a_backtest_with_a_report_still_writes_its_lines(site: Path) -> None:
    hours, page, lines = (site.parent / name for name in ("hours.csv", "r.html", "t.jsonl"))
    plain = typed("backtest", "--config", site, hours, environ=ENVIRON)
    with_page = typed("backtest", "--config", site, "--report", page, hours, environ=ENVIRON)
    assert plain[:2] == (0, with_page[1])
    assert with_page[0] == 0
    assert page.is_file()
    words = ("backtest", "--config", site, "--report", page, "--out", lines, hours)
    assert typed(*words, environ=ENVIRON)[:2] == (0, "")
    assert lines.read_text() == plain[1]


@pytest.mark.parametrize(
    ("words", "what"),
    [(("rules",), "--config"), (("rules", "--config", "x"), "--data")],
)
def test_the_worker_says_what_it_needs(words: tuple[str, ...], what: str) -> None:
    """`rules` without a further word is the worker of a cluster, as ever."""
    code, _, err = typed(*words)
    assert code == 2
    assert f"rules needs {what}" in err
