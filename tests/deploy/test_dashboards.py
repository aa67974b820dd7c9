"""Dashboards: written by their code, every query parsed by promtool and about metrics that exist."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import DEPLOY, Run, said
from tests.deploy.queries import (
    DASHBOARDS,
    families,
    known_names,
    names_in,
    of_dashboards,
    of_rules,
    panels,
)

GRAFANA = DEPLOY / "grafana"


def test_the_files_are_those_the_code_writes() -> None:
    done = subprocess.run(
        [sys.executable, GRAFANA / "dashboards.py", "--check"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, said(done)


def test_every_query_is_about_metrics_that_exist() -> None:
    known = known_names()
    unknown = {q.where: sorted(names_in(q.expr) - known) for q in of_dashboards()}
    assert {where: names for where, names in unknown.items() if names} == {}


def test_every_metric_is_looked_at_by_an_alert_or_a_panel() -> None:
    """What nobody looks at need not be measured."""
    looked_at = {
        re.sub("_(total|bucket|sum|count)$", "", name)
        for query in (*of_rules(), *of_dashboards())
        for name in names_in(query.expr)
    }
    assert {family.name for family in families()} - looked_at == set()


def test_promtool_parses_every_query(run: Run, tmp_path: Path) -> None:
    """Each query as a recording rule, which is the only way promtool reads one."""
    records = [
        {"record": f"checked:query:{number}", "expr": query.expr}
        for number, query in enumerate(of_dashboards())
    ]
    assert len(records) > 20
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": records}]}))
    done = run("promtool", "check", "rules", file)
    assert done.returncode == 0, said(done)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.name)
def test_a_dashboard_can_be_provisioned(file: Path) -> None:
    """The provisioned source, a uid of its own, panels that do not lie on each other."""
    board = json.loads(file.read_text())
    assert board["uid"] == f"yujing-{file.stem}"
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())
    uids = {each["uid"] for each in source["datasources"]}
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["targets"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} <= uids
