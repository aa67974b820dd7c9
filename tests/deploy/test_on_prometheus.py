"""The real Prometheus reads the real program: every rule and every panel evaluates there.

Grafana cannot be had here; what a panel asks is asked on Prometheus instead. The cluster's rules
are loaded beside one process: they must evaluate, whether or not they have anything to say.
"""

import subprocess
from collections.abc import Iterator
from random import Random

import httpx
import pytest
import yaml

from shared.testing.configs import duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, free_ports, until
from tests.deploy.conftest import DEPLOY, find_tool
from tests.deploy.queries import of_dashboards, of_rules

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Prometheus on `yujing serve`, once a report has become a message and both were seen."""
    binary = find_tool("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    http_port, hj212_port, own_port = free_ports(3)
    config = yaml.safe_load((DEPLOY / "prometheus" / "embedded.yml").read_text())
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms",
                        "scrape_timeout": "400ms"}  # fmt: skip
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules" / "*.yml")]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{http_port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with Gateway() as gateway:
        site = duty_site(Random(5), http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url)
        with (
            Program(site, folder / "program") as program,
            httpx.Client(base_url=f"http://127.0.0.1:{own_port}", trust_env=False) as client,
            (folder / "prometheus.log").open("wb") as log,
        ):
            process = subprocess.Popen(
                [binary, f"--config.file={folder / 'prometheus.yml'}",
                 f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{own_port}"],
                stdout=log, stderr=log,
            )  # fmt: skip
            try:
                program.report(site.facilities[0], site.low * 1.2)
                gateway.wait_for(1)
                until(lambda: is_ready(client), within_s=20.0, what="Prometheus is ready")
                until(lambda: seen(client), within_s=20.0, what="the message as a metric")
                yield client
            finally:
                process.terminate()
                process.wait(10)


def is_ready(client: httpx.Client) -> bool:
    return client.get("/-/ready").status_code == 200


def seen(client: httpx.Client) -> bool:
    """The message was scraped more than once, and every rule has been evaluated since."""
    wanted = ("rate(yujing_notifications_total[1m])", "yujing:reports:rate1m")
    evaluated = all(rule["health"] != "unknown" for rule in rules(client))
    return evaluated and all(ask(client, expr) for expr in wanted)


def ask(client: httpx.Client, expr: str) -> list[dict[str, object]]:
    """The result of an instant query.

    Raises:
        AssertionError: Prometheus refuses it, or warns.
    """
    answer = client.get("/api/v1/query", params={"query": expr}).json()
    assert answer["status"] == "success", f"{expr}: {answer}"
    assert "warnings" not in answer, f"{expr}: {answer}"
    result = answer["data"]["result"]
    assert isinstance(result, list)
    return result


def rules(client: httpx.Client) -> list[dict[str, object]]:
    groups = client.get("/api/v1/rules").json()["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_rule_evaluates(prometheus: httpx.Client) -> None:
    """An expression may parse and still fail on real series (many to many, duplicate results)."""
    evaluated = {str(rule["name"]): rule for rule in rules(prometheus)}
    assert sorted(evaluated) == sorted(query.where for query in of_rules())
    assert {name: rule.get("lastError") for name, rule in evaluated.items()
            if rule["health"] != "ok"} == {}  # fmt: skip


def test_every_panel_has_an_answer(prometheus: httpx.Client) -> None:
    for query in of_dashboards():
        ask(prometheus, query.expr)


def test_a_site_where_all_is_well_fires_the_watchdog_only(prometheus: httpx.Client) -> None:
    """Of the alerts that hold for one process; those of the cluster miss their services."""
    of_one_process = {
        rule["alert"]
        for group in yaml.safe_load((DEPLOY / "prometheus/rules/thread.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    firing = {
        alert["labels"]["alertname"]
        for alert in prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
        if alert["state"] == "firing"
    }
    assert firing & of_one_process == {"YujingWatchdog"}


@pytest.mark.parametrize(
    ("panel", "least"),
    [
        ("Reports per second", 1),
        ("Messages per minute", 1),
        ("Versions running", 1),
        ("Oldest message owed", 1),
        ("Alerts by severity", 1),
    ],
)
def test_a_panel_of_one_process_shows_something(
    prometheus: httpx.Client, panel: str, least: int
) -> None:
    """A query that is right in form and about the wrong label answers nothing."""
    exprs = [q.expr for q in of_dashboards() if q.where == f"operations.json: {panel}"]
    assert exprs
    assert sum(len(ask(prometheus, expr)) for expr in exprs) >= least
