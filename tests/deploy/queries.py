"""Every PromQL expression of deploy/: alert and recording rules, and panels of dashboards."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from prometheus_client import CollectorRegistry, Metric

from shared.observe.metrics import Metrics
from tests.deploy.conftest import DEPLOY

RULE_FILES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
TEST_FILES = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))

OURS = re.compile(r"\byujing[_:][A-Za-z0-9_:]+")


class Query(NamedTuple):
    """One expression, and where it stands."""

    where: str
    expr: str


def rules() -> list[dict[str, object]]:
    """All rules of all files, recording and alerting."""
    return [
        rule
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def of_rules() -> Iterator[Query]:
    for rule in rules():
        yield Query(str(rule.get("alert") or rule["record"]), str(rule["expr"]))


def of_dashboards() -> Iterator[Query]:
    for file in DASHBOARDS:
        board = json.loads(file.read_text())
        for panel in panels(board):
            for target in panel.get("targets", []):
                yield Query(f"{file.name}: {panel['title']}", plain(target["expr"]))
        for variable in board.get("templating", {}).get("list", []):
            if variable["type"] == "query":
                inner = re.fullmatch(r"label_values\((.+), *\w+\)", variable["query"]["query"])
                assert inner, f"{file.name}: variable {variable['name']} is no label_values(…)"
                yield Query(f"{file.name}: ${variable['name']}", inner[1])


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, those inside collapsed rows too."""
    for panel in board["panels"]:
        yield panel
        if "panels" in panel:
            yield from panels(panel)


def plain(expr: str) -> str:
    """An expression of Grafana as Prometheus gets it."""
    return (
        expr.replace("$__rate_interval", "1m")
        .replace("$__range", "1h")
        .replace("$__interval", "15s")
    )


def families() -> list[Metric]:
    """The register's metrics."""
    return list(Metrics(CollectorRegistry()).registry.collect())


def known_names() -> set[str]:
    """Every name a service can expose, as the register has it."""
    names = {
        f"{family.name}{suffix}"
        for family in families()
        for suffix in {
            "counter": ("_total",),
            "histogram": ("_bucket", "_sum", "_count"),
        }.get(family.type, ("",))
    }
    return names | {str(rule["record"]) for rule in rules() if "record" in rule}


def names_in(expr: str) -> set[str]:
    """Our metrics an expression mentions; strings are no metrics."""
    return set(OURS.findall(re.sub(r'"[^"]*"', '""', expr)))


def partitions(topic: str) -> int:
    """How many partitions deploy/kafka/topics.yaml gives a topic."""
    declared = yaml.safe_load((DEPLOY / "kafka" / "topics.yaml").read_text())["topics"]
    return int(declared[topic]["partitions"])
