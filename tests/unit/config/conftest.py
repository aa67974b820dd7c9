"""A configuration directory that tests write, break and read again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.config.load import ConfigErrors, check, load
from shared.model.configuration import Configuration

ENVIRON = {
    "SITE_KEY": "0123456789abcdef0123456789abcdef",
    "UP": "token-of-the-platform",
    "DESK": "token-of-the-desk",
    "OPS": "token-of-operations",
    "GATE": "password-of-the-gateway",
}

GOOD = {
    "site": """\
version: 1
site: {name: 衡山示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:8620/", secret_key: {env: SITE_KEY}}
timing: {tick: 2s, deaf_after: 45s, unknown_hold: 20s, reopen_within: 1h, min_step_gap: 500ms}
""",
    "territories": """\
territories:
  - {id: "430000", name: 湖南省}
  - {id: "430100", name: 长沙市}
  - {id: "430105", name: 开福区}
  - {id: "439004", name: 直管市, parent: "430000"}
""",
    "access": """\
access:
  - {id: platform, kind: upstream, token: {env: UP}, facilities: ["430100-*"]}
  - {id: desk, kind: officer, token: {env: DESK}, territory: "430100"}
  - {id: ops, kind: operator, token: {env: OPS}}
""",
    "facilities": """\
facilities:
  - id: 430100-mw-07
    name: 长沙示例医废处置中心
    short_name: 长沙医废
    territory: "430100"
    kind: medical_waste
    capacity: [{from: 2021-03-04, t_per_day: 77.5}, {from: 2020-01-19, t_per_day: 40}]
  - id: 430105-ww-03
    name: 开福示例医院
    territory: "430105"
    kind: hospital_wastewater
    attributes: {hospital: infectious, discharge: direct, class: 1A, air_class: 2}
stations:
  - id: 430105-ww-03-a
    facility: 430105-ww-03
    point: contact_tank
    hj212: {mn: "010000A8900016F0001612AB", password: "654321", crc: modbus, window_label: end}
    codes: {w19011: {indicator: residual_chlorine, unit: mg/L}}
""",
    "people": """\
people:
  - {id: qin, name: 秦值, title: 值班员, territory: "430100", contacts: [{id: qin-sms, channel: sms, address: "13900000077"}, {id: qin-mail, channel: mail, address: qin@example.org}]}
  - {id: tang, name: 唐值, title: 值班员, territory: "430100", contacts: [{id: tang-sms, channel: sms, address: "13900000078"}]}
  - {id: song, name: 宋长, title: 组长, territory: "430000", contacts: [{id: song-mail, channel: mail, address: song@example.org}]}
""",
    "rosters": """\
rosters:
  - id: changsha
    territory: "430100"
    roles:
      duty_officer: {rotation: {people: [qin, tang], every: 12h, handover: "07:30", first: 2026-01-05}}
      shift_leader: {people: [song]}
    overrides: [{role: duty_officer, person: song, from: "2026-02-01T08:00+08:00", to: "2026-02-02T08:00"}]
  - id: hunan
    territory: "430000"
    roles: {duty_officer: {people: [song]}}
""",
    "policies": """\
policies:
  - id: urgent
    match: {severity: [yellow, orange, red], kind: medical_waste}
    steps:
      - {notify: [{role: duty_officer}], by: [sms], wait: 10m, repeat: {every: 3m, times: 2}}
      - {notify: [{role: shift_leader}], by: [sms, mail], wait: 15m}
      - {notify: [{role: duty_officer, territory: parent}], by: [mail], wait: 15m}
    catch_all: {notify: [{person: song}], by: [mail], every: 2h}
    sign_off: any
  - {id: water, match: {kind: hospital_wastewater}, steps: [{notify: [{role: duty_officer}], by: [mail], wait: 5m}], catch_all: {notify: [{role: duty_officer}], by: [mail], every: 1d}}
  - {id: rest, steps: []}
""",
    "channels": """\
channels:
  - {id: sms, kind: kannel, url: "http://127.0.0.1:13013/cgi-bin/sendsms", username: yujing, password: {env: GATE}, sender: "1069", signature: 预警, timeout: 7s, callbacks_from: [127.0.0.1], budget: {per_day: 9, reserve: {orange: 2, red: 3}}}
  - {id: mail, kind: smtp, host: 127.0.0.1, port: 2525, tls: none, from: "预警 <yujing@example.org>"}
  - {id: screen, kind: local}
""",
    "rules": """\
packs: [mw-load]
rules:
  - id: load
    title: {zh: 处置负荷, en: Load}
    action: {zh: 协调外运, en: Arrange transfer}
    applies: {kind: medical_waste, territory: "430000", facility: "430100-*"}
    condition: {ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}
    levels: [{severity: orange, raise: ">= 100", clear: "< 95"}, {severity: blue, raise: ">= 80", clear: "< 75"}]
    for: 5m
    keep_firing_for: 1h
    unknown: alert
    basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}
  - {id: cod, applies: {kind: hospital_wastewater}, condition: {threshold: {indicator: w01018, interval: day, unit: ug/L}}, levels: [{severity: yellow, raise: "> 60000", clear: "<= 54000"}], basis: {standard: GB 18466-2005, edition: "2005", clause: table 1, valid_from: 2006-01-01, valid_to: "2030-01-01T12:00"}}
  - {id: band, applies: {kind: hospital_wastewater, point: contact_tank}, condition: {range: {indicator: residual_chlorine, interval: realtime, unit: mg/L, low: 6.5, high: 10, deadband: 0.3}}, levels: [{severity: orange}], for: 10m, basis: {standard: GB 18466-2005, edition: "2005", clause: table 1, valid_from: 2006-01-01}}
  - {id: day-missing, applies: {kind: medical_waste}, condition: {missing: {indicator: mw.disposed_t, interval: day, due: "10:00", grace: 30m}}, levels: [{severity: yellow}], basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}}
  - {id: silent, applies: {kind: hospital_wastewater}, condition: {missing: {indicator: residual_chlorine, interval: realtime, every: 5m, grace: 2m}}, levels: [{severity: blue}], basis: {standard: product default, edition: "2026", clause: "-", valid_from: 2020-01-01}}
""",
}


class Directory:
    """Writes files, and says what the program makes of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = dict(ENVIRON)
        for name, text in GOOD.items():
            self.write(f"{name}.yaml", text)

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str) -> int:
        """Change what stands once in a file; the line of the change."""
        text = (self.root / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        self.write(file, text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def load(self) -> Configuration:
        return load(self.root, self.environ)

    def errors(self) -> list[str]:
        """What `serve` prints; empty when it would start."""
        try:
            self.load()
        except ConfigErrors as error:
            return str(error).splitlines()
        return []

    def warnings(self) -> list[str]:
        configuration, findings = check(self.root, self.environ)
        assert configuration is not None
        return [str(finding) for finding in findings]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """A correct directory, under a name with a blank and Chinese characters."""
    return Directory(tmp_path / "配置 目录")


@pytest.fixture
def only(directory: Directory) -> Callable[[str], str]:
    """Add one rule to the correct directory; the text of the one error that comes of it."""

    def add(rule: str) -> str:
        directory.write("rules.yaml", f"rules:\n  - {{id: tested, {rule}}}\n")
        errors = directory.errors()
        assert len(errors) <= 1, errors
        return errors[0] if errors else ""

    return add
