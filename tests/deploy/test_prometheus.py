"""Alerts: they parse, mean metrics that exist, are proven to fire and to stay quiet, and lead on."""

import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import DEPLOY, ROOT, Run, said
from tests.deploy.queries import (
    RULE_FILES,
    TEST_FILES,
    known_names,
    names_in,
    of_rules,
    partitions,
    rules,
)

ALERTS = {str(rule["alert"]): rule for rule in rules() if "alert" in rule}
ALWAYS = {"YujingWatchdog"}


def test_promtool_accepts_the_rules(run: Run) -> None:
    done = run("promtool", "check", "rules", *RULE_FILES)
    assert done.returncode == 0, said(done)


@pytest.mark.parametrize("name", ["prometheus.yml", "embedded.yml"])
def test_promtool_accepts_the_configuration(run: Run, name: str) -> None:
    done = run("promtool", "check", "config", DEPLOY / "prometheus" / name)
    assert done.returncode == 0, said(done)


def test_promtool_accepts_the_configuration_of_kubernetes(run: Run, tmp_path: Path) -> None:
    """Debian builds promtool without service discovery by Kubernetes: that block is set aside."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "kubernetes.yml").read_text())
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules" / "*.yml")]
    for job in config["scrape_configs"]:
        discovery = job.pop("kubernetes_sd_configs")
        assert [set(entry) for entry in discovery] == [{"role", "namespaces"}]
        job["static_configs"] = [{"targets": ["127.0.0.1:1"]}]
    checked = tmp_path / "prometheus.yml"
    checked.write_text(yaml.safe_dump(config))
    done = run("promtool", "check", "config", checked)
    assert done.returncode == 0, said(done)


def test_alerts_fire_when_they_must_and_are_quiet_otherwise(run: Run) -> None:
    """The cases in deploy/prometheus/tests, run by promtool."""
    done = run("promtool", "test", "rules", *TEST_FILES)
    assert done.returncode == 0, said(done)


def test_every_alert_is_shown_firing_and_quiet() -> None:
    """An alert whose test knows one side only is not tested."""
    fires, quiet = set(), set()
    for file in TEST_FILES:
        for case in yaml.safe_load(file.read_text())["tests"]:
            for check in case.get("promql_expr_test", []):
                named = re.search(r'alertname="(\w+)"', check["expr"])
                if named:
                    (fires if check["exp_samples"] else quiet).add(named[1])
            for check in case.get("alert_rule_test", []):
                (fires if check["exp_alerts"] else quiet).add(check["alertname"])
    assert sorted(fires) == sorted(ALERTS)
    assert sorted(quiet | ALWAYS) == sorted(ALERTS)


def test_every_expression_names_metrics_that_exist() -> None:
    known = known_names()
    unknown = {q.where: sorted(names_in(q.expr) - known) for q in of_rules()}
    assert {where: names for where, names in unknown.items() if names} == {}


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_every_alert_says_what_and_where_to_read_on(name: str) -> None:
    """Summary, description, and a runbook link to a heading that is there."""
    rule = ALERTS[name]
    notes = rule["annotations"]
    assert isinstance(notes, dict)
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert rule["labels"] in ({"severity": s} for s in ("critical", "warning", "none"))
    page, _, anchor = notes["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_the_runbook_has_no_alert_that_is_gone() -> None:
    page = (ROOT / "docs" / "operate" / "alarms.md").read_text()
    assert set(re.findall(r"\bYujing[A-Z]\w+", page)) == set(ALERTS)


def test_the_number_of_partitions_is_that_of_the_topics() -> None:
    """`yujing:partitions:expected` is written by hand: here it is held to topics.yaml."""
    [expected] = [r["expr"] for r in rules() if r.get("record") == "yujing:partitions:expected"]
    assert expected == f"vector({partitions('yujing.reports.v1')})"
