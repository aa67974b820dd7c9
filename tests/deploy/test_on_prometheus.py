"""The real Prometheus reads the real program: every rule and every panel evaluates there.

Grafana cannot be had here; what a panel asks is asked on Prometheus instead. The cluster's rules
are loaded beside one process: they must evaluate, whether or not they have anything to say.
"""

from collections.abc import Iterator
from random import Random

import pytest
import yaml

from shared.testing.configs import duty_site
from shared.testing.parts.gateway import Gateway
from shared.testing.program import Program, free_ports, until
from tests.deploy.conftest import DEPLOY
from tests.deploy.queries import of_dashboards, of_rules
from tests.deploy.watched import Prometheus

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus on `yujing serve`, once a report has become a message and both were seen."""
    folder = tmp_path_factory.mktemp("watched")
    http_port, hj212_port = free_ports(2)
    with Gateway() as gateway:
        site = duty_site(Random(5), http_port=http_port, hj212_port=hj212_port, sms_url=gateway.url)
        jobs = {"yujing": [f"127.0.0.1:{http_port}"]}
        with (
            Program(site, folder / "program") as program,
            Prometheus(folder / "prometheus", jobs) as found,
        ):
            program.report(site.facilities[0], site.low * 1.2)
            gateway.wait_for(1)
            until(lambda: seen(found), within_s=20.0, what="the message as a metric")
            yield found


def seen(prometheus: Prometheus) -> bool:
    """The message was scraped more than once, and every rule has been evaluated since."""
    wanted = ("rate(yujing_notifications_total[1m])", "yujing:reports:rate1m")
    evaluated = all(rule["health"] != "unknown" for rule in prometheus.rules())
    return evaluated and all(prometheus.ask(expr) for expr in wanted)


def test_every_rule_evaluates(prometheus: Prometheus) -> None:
    """An expression may parse and still fail on real series (many to many, duplicate results)."""
    evaluated = {str(rule["name"]): rule for rule in prometheus.rules()}
    assert sorted(evaluated) == sorted(query.where for query in of_rules())
    assert {name: rule.get("lastError") for name, rule in evaluated.items()
            if rule["health"] != "ok"} == {}  # fmt: skip


def test_every_panel_has_an_answer(prometheus: Prometheus) -> None:
    for query in of_dashboards():
        prometheus.ask(query.expr)


def test_a_site_where_all_is_well_fires_the_watchdog_only(prometheus: Prometheus) -> None:
    """Of the alerts that hold for one process; those of the cluster miss their services."""
    of_one_process = {
        rule["alert"]
        for group in yaml.safe_load((DEPLOY / "prometheus/rules/thread.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    assert prometheus.names() & of_one_process == {"YujingWatchdog"}


@pytest.mark.parametrize(
    "panel",
    [
        "Reports per second",
        "Messages per minute",
        "Versions running",
        "Oldest message owed",
        "Alerts by severity",
    ],
)
def test_a_panel_of_one_process_shows_something(prometheus: Prometheus, panel: str) -> None:
    """A query that is right in form and about the wrong label answers nothing."""
    exprs = [q.expr for q in of_dashboards() if q.where == f"operations.json: {panel}"]
    assert exprs
    for expr in exprs:
        assert prometheus.ask(expr), expr
