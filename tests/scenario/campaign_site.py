"""A province with a campaign, and one without: the same rule, two medical-waste plants."""

from pathlib import Path

FILES = {
    "site": 'version: 1\nsite: {name: 湖北示例, timezone: Asia/Shanghai, language: zh-CN, base_url: "http://127.0.0.1:1", secret_key: 0123456789abcdef0123456789abcdef}\n',
    "territories": 'territories:\n  - {id: "420000", name: 湖北省}\n  - {id: "420100", name: 武汉市}\n  - {id: "430000", name: 湖南省}\n',
    "facilities": "facilities:\n"
    "  - {id: wuhan, name: 武汉示例医废, short_name: 武汉医废, territory: '420100', kind: medical_waste, capacity: [{from: 2020-01-01, t_per_day: 50}]}\n"
    "  - {id: hunan, name: 湖南示例医废, short_name: 湖南医废, territory: '430000', kind: medical_waste, capacity: [{from: 2020-01-01, t_per_day: 50}]}\n",
    "people": "people:\n"
    '  - {id: li, name: 李值, territory: "420100", contacts: [{id: li-sms, channel: sms, address: "13900000001"}]}\n'
    '  - {id: wang, name: 王专员, territory: "420000", contacts: [{id: wang-sms, channel: sms, address: "13900000002"}]}\n',
    "rosters": 'rosters:\n  - {id: nation, territory: "000000", roles: {duty_officer: {people: [li]}}}\n',
    "policies": "policies:\n"
    "  - {id: load, match: {rule: load}, steps: [{notify: [{role: duty_officer}], by: [sms], wait: 15m}]}\n"
    "  - {id: rest, steps: []}\n",
    "channels": "channels:\n  - {id: sms, kind: local, signature: 预警}\n",
    "rules": """rules:
  - id: load
    title: {zh: 负荷}
    applies: {kind: medical_waste}
    condition: {ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: "%"}}
    levels: [{severity: orange, raise: ">= 100", clear: "< 95"}, {severity: blue, raise: ">= 80", clear: "< 75"}]
    basis: {standard: 产品, edition: "2019", clause: "-", valid_from: 2019-01-01}
""",
    "campaigns": """campaigns:
  - id: epidemic-2020
    title: {zh: 疫情防控, en: Epidemic}
    from: 2020-01-20
    to: 2020-04-01
    territories: ["420000"]
    rules:
      - {rule: load, levels: [{severity: orange, raise: ">= 60", clear: "< 55"}]}
    policies:
      - {id: command, match: {rule: load}, steps: [{notify: [{person: wang}], by: [sms], wait: 5m}]}
    basis: {standard: 环党组〔2020〕6号, edition: "2020", clause: 二}
""",
}


def write_campaign_site(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder
