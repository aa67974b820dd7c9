"""Site: a small city with the shipped air packs, two officers on duty in turn, and their leader."""

from collections.abc import Iterable
from pathlib import Path

from shared.config.load import load
from shared.model.configuration import Configuration

PACKS = ("gb3095-2012-early", "gb3095-2012", "gb3095-2026")
_FILES = {
    "site": 'version: 1\nsite: {name: 北京示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories: [{id: "110000", name: 北京市}]\n',
    "people": "people:\n"
    + "".join(
        f'  - {{id: {name}, name: {name}, territory: "110000", contacts: [{{id: {name}-sms, channel: sms, address: "1390000000{n}"}}]}}\n'
        for n, name in enumerate(("wang", "zhao", "chen"), 1)
    ),
    "rosters": 'rosters:\n  - id: beijing\n    territory: "110000"\n    roles:\n'
    '      duty_officer: {rotation: {people: [wang, zhao], every: 1d, handover: "08:00", first: 2013-01-01}}\n'
    "      shift_leader: {people: [chen]}\n",
    "policies": "policies:\n  - id: air\n    steps:\n"
    "      - {notify: [{role: duty_officer}], by: [sms], wait: 15m, repeat: {every: 5m, times: 2}}\n"
    "      - {notify: [{role: shift_leader}], by: [sms], wait: 15m}\n",
    "channels": "channels: [{id: sms, kind: local, signature: 预警}]\n",
}


def configuration(
    folder: Path, stations: Iterable[str], packs: Iterable[str] = PACKS, more: str = ""
) -> Configuration:
    """Written as YAML into `folder` and read from there, as any site is."""
    facilities = "facilities:\n" + "".join(
        f'  - {{id: {name.lower()}, name: {name}, territory: "110000", kind: air_station, attributes: {{air_class: 2{more}}}}}\n'
        for name in stations
    )
    rules = f"packs: [{', '.join(packs)}]\n"
    for name, text in {**_FILES, "facilities": facilities, "rules": rules}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(folder, {})
