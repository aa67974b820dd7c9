"""The dashboards as code: panels named here, JSON for Grafana in dashboards/.

`python deploy/grafana/dashboards.py` writes the files, `--check` says whether they are up to date.
A panel answers one question, which is its title. Green is good everywhere.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
Json = dict[str, Any]

JOB = 'job=~"yujing-.+|yujing"'
REPORTS = 'topic="yujing.reports.v1"'


def stat(title: str, expr: str, unit: str, bad: float, *, below: bool = False) -> Json:
    """One number, red from `bad` up (or below it)."""
    steps = (
        [{"color": "red", "value": None}, {"color": "green", "value": bad}]
        if below
        else [{"color": "green", "value": None}, {"color": "red", "value": bad}]
    )
    return {
        "type": "stat",
        "title": title,
        "targets": [target(expr, instant=True)],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "noValue": "no data",
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"},
        "size": (6, 4),
    }


def graph(title: str, unit: str, *series: tuple[str, str], wide: int = 12) -> Json:
    """Curves over time; each series is (expression, legend)."""
    return {
        "type": "timeseries",
        "title": title,
        "targets": [target(expr, legend) for expr, legend in series],
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10, "lineWidth": 1}},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "size": (wide, 8),
    }


def table(title: str, expr: str) -> Json:
    """The series themselves, one row each."""
    return {
        "type": "table",
        "title": title,
        "targets": [{**target(expr, instant=True), "format": "table"}],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"showHeader": True},
        "transformations": [
            {
                "id": "organize",
                "options": {"excludeByName": {"Time": True, "Value": True, "__name__": True}},
            }
        ],
        "size": (24, 7),
    }


def target(expr: str, legend: str = "", *, instant: bool = False) -> Json:
    return {
        "datasource": SOURCE,
        "expr": expr,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
    }


def dashboard(uid: str, title: str, panels: list[Json]) -> Json:
    """Panels laid out in rows of 24 columns, in the order given."""
    x = y = height = 0
    placed = []
    for number, panel in enumerate(panels, start=1):
        wide, high = panel.pop("size")
        if x + wide > 24:
            x, y, height = 0, y + height, 0
        for letter, query in zip("ABCDEFGH", panel["targets"], strict=False):
            query["refId"] = letter
        place = {"x": x, "y": y, "w": wide, "h": high}
        placed.append({"id": number, "datasource": SOURCE, "gridPos": place, **panel})
        x, height = x + wide, max(height, high)
    return {
        "uid": uid,
        "title": title,
        "tags": ["yujing"],
        "editable": False,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": []},
        "links": [
            {"type": "dashboards", "tags": ["yujing"], "title": "Yujing", "asDropdown": True}
        ],
        "panels": placed,
    }


def p(quantile: float, histogram: str) -> str:
    return (
        f"histogram_quantile({quantile}, sum by (le) (rate({histogram}_bucket[$__rate_interval])))"
    )


OPERATIONS = [
    stat(
        "Critical alerts firing",
        'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)',
        "short",
        1,
    ),
    stat("Replicas down", f"count(up{{{JOB}}} == 0) or vector(0)", "short", 1),
    stat("Ingest replicas up", 'sum(up{job="yujing-ingest"})', "short", 1, below=True),
    stat(
        "Log takes writes",
        'min(yujing_log_available{job="yujing-ingest"})',
        "bool_yes_no",
        1,
        below=True,
    ),
    stat(
        "Partitions nobody evaluates",
        "yujing:partitions:expected - on () (sum(yujing_partitions_owned) or vector(0))",
        "short",
        1,
    ),
    stat("Worst log-time lag", "max(yujing:log_time_lag:seconds)", "s", 30),
    stat("Oldest message owed", "max(yujing_outbox_oldest_seconds)", "s", 60),
    stat("Timers overdue", "max(yujing_timers_overdue)", "short", 1),
    table("What fires now", 'ALERTS{alertstate="firing",alertname!="YujingWatchdog"}'),
    graph(
        "Reports per second", "reqps", ("yujing:reports:rate1m", "{{listener}} {{result}}"), wide=8
    ),
    graph(
        "From report to gateway",
        "s",
        (p(0.5, "yujing_report_to_gateway_seconds"), "half"),
        (p(0.99, "yujing_report_to_gateway_seconds"), "99 of 100"),
        wide=8,
    ),
    graph(
        "Messages per minute",
        "short",
        (
            "60 * sum by (channel, outcome) (rate(yujing_notifications_total[$__rate_interval]))",
            "{{channel}} {{outcome}}",
        ),
        wide=8,
    ),
    graph("Alerts by severity", "short", ("sum by (severity) (yujing_alerts)", "{{severity}}")),
    graph(
        "Versions running",
        "short",
        ("count by (job, version) (yujing_build_info)", "{{job}} {{version}}"),
    ),
]

INGEST = [
    graph("Reports per second", "reqps", ("yujing:reports:rate1m", "{{listener}} {{result}}")),
    graph(
        "Refusals per minute by reason",
        "short",
        ("60 * sum by (reason) (rate(yujing_rejections_total[$__rate_interval]))", "{{reason}}"),
    ),
    graph(
        "Log takes writes (1 yes, 0 no)",
        "short",
        ('yujing_log_available{job="yujing-ingest"}', "{{instance}}"),
    ),
    graph(
        "HJ 212 connections",
        "short",
        ("sum by (instance) (yujing_hj212_connections)", "{{instance}}"),
    ),
    graph(
        "Inbox: unread records",
        "short",
        ('yujing:consumer_lag:records{topic="yujing.inbox.v1"}', "partition {{partition}}"),
    ),
    graph(
        "Seconds of deafness in five minutes",
        "s",
        ("max(increase(yujing_deaf_seconds_total[5m]))", "deaf"),
    ),
]

RULES = [
    graph(
        "How late each partition is judged",
        "s",
        ("yujing:log_time_lag:seconds", "partition {{partition}}"),
    ),
    graph(
        "Unread records of each partition",
        "short",
        (f"yujing:consumer_lag:records{{{REPORTS}}}", "partition {{partition}}"),
    ),
    graph(
        "Partitions owned by each worker",
        "short",
        ('yujing_partitions_owned{job="yujing-rules"}', "{{instance}}"),
        ("yujing:partitions:expected", "expected in all"),
    ),
    graph(
        "Age of the checkpoints",
        "s",
        ("max by (partition) (yujing_checkpoint_age_seconds)", "partition {{partition}}"),
    ),
    graph(
        "From report to transition",
        "s",
        (p(0.5, "yujing_report_to_transition_seconds"), "half"),
        (p(0.99, "yujing_report_to_transition_seconds"), "99 of 100"),
    ),
    graph(
        "Transitions per minute",
        "short",
        ("60 * sum by (state) (rate(yujing_transitions_total[$__rate_interval]))", "{{state}}"),
    ),
    graph(
        "Rebalances in ten minutes",
        "short",
        ("increase(yujing_rebalances_total[10m])", "{{instance}}"),
    ),
    graph(
        "Failures set aside in ten minutes",
        "short",
        ("sum by (service) (increase(yujing_failures_total[10m]))", "{{service}}"),
    ),
    graph(
        "Episodes amended, and reports too late for it, in an hour",
        "short",
        ("sum by (rule, kind) (increase(yujing_amendments_total[1h]))", "{{rule}} {{kind}}"),
        ("increase(yujing_too_late_reports_total[1h])", "too late"),
    ),
]

NOTIFY = [
    graph("Oldest message owed", "s", ("max(yujing_outbox_oldest_seconds)", "oldest")),
    graph("Timers overdue", "short", ("max(yujing_timers_overdue)", "overdue")),
    graph(
        "Attempts per minute by outcome",
        "short",
        (
            "60 * sum by (channel, outcome) (rate(yujing_notifications_total[$__rate_interval]))",
            "{{channel}} {{outcome}}",
        ),
    ),
    graph(
        "From report to gateway",
        "s",
        (p(0.5, "yujing_report_to_gateway_seconds"), "half"),
        (p(0.99, "yujing_report_to_gateway_seconds"), "99 of 100"),
    ),
    graph(
        "Unread transitions",
        "short",
        ('yujing:consumer_lag:records{topic="yujing.alerts.v1"}', "partition {{partition}}"),
    ),
    graph(
        "Nobody responsible, broken texts, strangers (per hour)",
        "short",
        ("max(increase(yujing_orphans_total[1h]))", "orphans"),
        ("max(increase(yujing_broken_texts_total[1h]))", "broken texts"),
        ("sum by (channel) (increase(yujing_stranger_replies_total[1h]))", "strangers {{channel}}"),
    ),
]

BOARDS = {
    "operations": ("Yujing: is anything on fire", OPERATIONS),
    "ingest": ("Yujing ingest", INGEST),
    "rules": ("Yujing rules", RULES),
    "notify": ("Yujing notify", NOTIFY),
}


def main() -> int:
    """Write the files, or with --check compare them: 1 when one differs."""
    check = "--check" in sys.argv[1:]
    differs = []
    HERE.mkdir(exist_ok=True)
    for name, (title, panels) in BOARDS.items():
        file = HERE / f"{name}.json"
        board = dashboard(f"yujing-{name}", title, panels)
        text = json.dumps(board, indent=2, ensure_ascii=False) + "\n"
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            differs.append(file.name)
    if differs:
        print(
            f"dashboards: {', '.join(differs)} differ from dashboards.py; "
            "run: python deploy/grafana/dashboards.py",
            file=sys.stderr,
        )
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
