"""A small site whose rules and policies a test may change, and recorded inputs for it."""

from pathlib import Path

FILES = {
    "site": """
version: 1
site: {name: 试点, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: {env: SITE_KEY}}
""",
    "territories": """
territories: [{id: "420000", name: 湖北省}, {id: "420100", name: 武汉市}]
""",
    "facilities": """
facilities:
  - {id: f1, name: 第一医院, territory: "420100", kind: hospital_wastewater}
  - {id: f2, name: 第二医院, territory: "420100", kind: hospital_wastewater}
""",
    "people": """
people:
  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: {env: LI_PHONE}}]}
  - {id: chen, name: 陈主任, territory: "420100", contacts: [{id: c-sms, channel: sms, address: "13900000002"}, {id: c-mail, channel: mail, address: c@example.org}]}
""",
    "rosters": """
rosters: [{id: wuhan, territory: "420100", roles: {duty_officer: {people: [li]}}}]
""",
    "policies": """
policies:
  - id: default
    match: {severity: [yellow, orange, red]}
    steps: [{notify: [{role: duty_officer}], by: [sms], wait: 30m}]
    catch_all: {notify: [{person: chen}], by: [mail], every: 6h}
  - {id: rest, steps: []}
""",
    "channels": """
channels:
  - {id: sms, kind: kannel, url: "http://127.0.0.1:1/cgi-bin/sendsms", username: u, password: {env: KANNEL}, sender: "1069", signature: 预警}
  - {id: mail, kind: smtp, host: 127.0.0.1, from: "预警 <y@example.org>"}
""",
    "rules": """
rules:
  - id: cod
    title: {zh: 需氧量高, en: COD high}
    condition: {threshold: {indicator: w01018, interval: hour, unit: mg/L}}
    levels: [{severity: yellow, raise: "> 60", clear: "<= 54"}, {severity: orange, raise: "> 100"}]
    basis: {standard: GB 18466-2005, edition: "2005", clause: table 1, valid_from: 2006-01-01}
""",
}


def write_site(folder: Path, **changed: str) -> Path:
    """The site with some files written otherwise."""
    folder.mkdir(parents=True)
    for name, text in {**FILES, **changed}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def write_hours(path: Path, **values: str) -> Path:
    """Hourly readings from midnight of 2026-02-03 on, one series for each facility; _ is none."""
    rows = ["observed_at,facility,interval,indicator,value"]
    series = {facility: text.split() for facility, text in values.items()}
    for hour in range(max(map(len, series.values()))):
        day, clock = divmod(hour, 24)
        for facility, row in series.items():
            if hour < len(row) and row[hour] != "_":
                at = f"2026-02-{3 + day:02}T{clock:02}:00:00+08:00"
                rows.append(f"{at},{facility},hour,w01018,{row[hour]}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
