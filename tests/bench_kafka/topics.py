"""The shipped topics with the bench's number of partitions."""

from pathlib import Path

import yaml

from shared.log.port import ALERTS, AMENDMENTS, FACILITIES, REPORTS
from shared.log.security import Security
from shared.log.topics import FILE, Topics, read_topics


def make_topics(bootstrap: str, folder: Path, partitions: int) -> Path:
    body = yaml.safe_load(FILE.read_text())
    for name in (REPORTS, ALERTS, AMENDMENTS, FACILITIES):
        body["topics"][name]["partitions"] = partitions
    path = folder / "topics.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    topics = Topics(bootstrap, Security(), read_topics(path))
    topics.apply()
    topics.close()
    return path
