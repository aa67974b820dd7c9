"""A real Prometheus with the rules of deploy/, on whatever a test has started."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from shared.testing.program import free_ports, until
from tests.deploy.conftest import find_tool
from tests.deploy.queries import RULE_FILES


class Prometheus:
    """`jobs` names the addresses of each job. `delay` replaces every `for:` of the alerts."""

    def __init__(
        self, folder: Path, jobs: Mapping[str, Iterable[str]], *, delay: str | None = None
    ) -> None:
        self._binary = find_tool("prometheus")
        folder.mkdir(parents=True)
        for file in RULE_FILES:
            text = file.read_text()
            if delay is not None:
                text = re.sub(r"^( +for:) \w+$", rf"\1 {delay}", text, flags=re.MULTILINE)
            (folder / file.name).write_text(text)
        config = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "500ms",
            },
            "rule_files": [str(folder / file.name) for file in RULE_FILES],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(targets)}]}
                for job, targets in jobs.items()
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self._folder, self._port = folder, free_ports(1)[0]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False)

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binary, f"--config.file={self._folder / 'prometheus.yml'}",
                 f"--storage.tsdb.path={self._folder / 'data'}",
                 f"--web.listen-address=127.0.0.1:{self._port}"],
                stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: self.client.get("/-/ready").status_code == 200, within_s=20.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(10)

    def ask(self, expr: str) -> list[dict[str, Any]]:
        """The result of an instant query.

        Raises:
            AssertionError: Prometheus refuses it, or warns.
        """
        answer = self.client.get("/api/v1/query", params={"query": expr}).json()
        assert answer["status"] == "success", f"{expr}: {answer}"
        assert "warnings" not in answer, f"{expr}: {answer}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        groups = self.client.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def firing(self) -> list[dict[str, str]]:
        """The labels of every alert that fires."""
        alerts = self.client.get("/api/v1/alerts").json()["data"]["alerts"]
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    def names(self) -> set[str]:
        """The names of the alerts that fire."""
        return {labels["alertname"] for labels in self.firing()}
