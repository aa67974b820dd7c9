"""The separate services as child processes, on a real broker and a real PostgreSQL."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from shared.testing.configs import Site
from shared.testing.program import Program, free_ports


class Service(Program):
    """`yujing ingest`, `rules` or `notify`; several of one kind with names of their own."""

    def __init__(
        self,
        verb: str,
        site: Site,
        folder: Path,
        *,
        kafka: str,
        database_url: str = "",
        name: str = "",
        http_port: int | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Iterable[str] = (),
        prefix: Iterable[str] = (),
    ) -> None:
        self.verb, self.name = verb, name or verb
        super().__init__(
            site, folder / self.name, environment=environment, arguments=arguments, prefix=prefix
        )
        self.kafka, self.database_url = kafka, database_url
        self.http_port = http_port or free_ports(1)[0]
        self.client.close()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.http_port}", timeout=10.0, trust_env=False
        )

    def command(self) -> list[str]:
        return [
            *self.prefix, sys.executable, "-m", "services", self.verb,
            "--config", str(self.config), "--data", str(self.data),
            "--http", f"127.0.0.1:{self.http_port}", "--kafka", self.kafka,
            "--database-url", self.database_url, "--instance", self.name,
            *(("--hj212", f"127.0.0.1:{self.site.hj212_port}") if self.verb == "ingest" else ()),
            *self.arguments,
        ]  # fmt: skip
