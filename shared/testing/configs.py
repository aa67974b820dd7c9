"""Configuration directories made by a test: random names, ids, numbers and tokens, known to it.

What a test did not choose is drawn from its seeded generator, so no test passes because the
program knows a name. `Site.write` writes one YAML file per kind, as a person would lay them out.
"""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

SYLLABLES = "东西南北江河湖海山林云石金玉春秋清平安和长宁嘉兴永丰泰昌德庆"
PLACES = ("医院", "污水站", "处置中心", "卫生院", "监测点")
STATION_CODE = "w01018"
"""Chemical oxygen demand, mg/L: has a meaning in every edition of the protocol."""


@dataclass(frozen=True)
class Facility:
    """One watched place with one station that speaks HTTP and HJ 212."""

    id: str
    short_name: str
    territory: str
    station: str
    mn: str
    password: str


@dataclass(frozen=True)
class Person:
    """Somebody who is told: one phone and, where the site has mail, one mailbox."""

    id: str
    name: str
    phone: str
    mailbox: str


@dataclass
class Site:
    """A configuration under construction: documents by file name, and the environment they need."""

    rng: Random
    http_port: int
    hj212_port: int
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    facilities: list[Facility] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.province = f"{self.rng.randint(11, 65)}0000"
        self.city = f"{self.province[:2]}{self.rng.randint(1, 89):02}00"
        self.upstream_token = self.secret("UP_TOKEN")
        self.officer_token = self.secret("DESK_TOKEN")
        self.operator_token = self.secret("OPS_TOKEN")
        self.secret("YUJING_SECRET_KEY")
        self.low = self.rng.randint(20, 90) + 0.5
        """Yellow from here; orange from 1.5 times, red from twice."""
        self.documents["site"] = {
            "version": 1,
            "site": {
                "name": self.word(3) + "示例",
                "timezone": "Asia/Shanghai",
                "language": "zh-CN",
                "base_url": f"http://127.0.0.1:{self.http_port}",
                "secret_key": {"env": "YUJING_SECRET_KEY"},
            },
            "timing": {"tick": "200ms", "deaf_after": "2s", "unknown_hold": "2s",
                       "reopen_within": "30m", "min_step_gap": "100ms"},
        }  # fmt: skip
        self.documents["territories"] = {
            "territories": [
                {"id": self.province, "name": self.word(2) + "省"},
                {"id": self.city, "name": self.word(2) + "市"},
            ]
        }
        self.documents["access"] = {
            "access": [
                {"id": "platform", "kind": "upstream", "token": {"env": "UP_TOKEN"},
                 "facilities": ["*"]},
                {"id": "desk", "kind": "officer", "token": {"env": "DESK_TOKEN"},
                 "territory": self.city},
                {"id": "ops", "kind": "operator", "token": {"env": "OPS_TOKEN"}},
            ]
        }  # fmt: skip
        for name in ("people", "rosters", "channels", "policies", "rules"):
            self.documents[name] = {name: []}
        self.documents["facilities"] = {"facilities": [], "stations": []}

    # -- drawing names ---------------------------------------------------------------------

    def word(self, syllables: int) -> str:
        """A name nobody has seen before."""
        return "".join(self.rng.choice(SYLLABLES) for _ in range(syllables))

    def secret(self, variable: str) -> str:
        """Forty characters, handed to the program through its environment."""
        self.environment[variable] = f"{self.rng.getrandbits(160):040x}"
        return self.environment[variable]

    @property
    def timing(self) -> dict[str, str]:
        timing: dict[str, str] = self.documents["site"]["timing"]
        return timing

    # -- what is watched -------------------------------------------------------------------

    def add_facility(
        self,
        *,
        name: str | None = None,
        short_name: str | None = None,
        territory: str | None = None,
        kind: str = "hospital_wastewater",
    ) -> Facility:
        """A facility with one station and a logger."""
        number = len(self.facilities)
        place = territory or self.city
        name = name or f"{self.word(3)}{number}{self.rng.choice(PLACES)}"
        facility = Facility(
            id=f"{place}-{self.rng.choice('abcdefgh')}{self.rng.randrange(16**4):04x}-{number}",
            short_name=short_name or f"{self.word(2)}{number}号",
            territory=place,
            station=f"{place}-st-{number}-{self.rng.randrange(16**3):03x}",
            mn=f"{self.rng.getrandbits(80):020X}{number:04d}",
            password=f"{self.rng.randrange(10**6):06d}",
        )
        self.facilities.append(facility)
        both = self.documents["facilities"]
        both["facilities"].append(
            {"id": facility.id, "name": name, "short_name": facility.short_name,
             "territory": place, "kind": kind}
        )  # fmt: skip
        both["stations"].append(
            {"id": facility.station, "facility": facility.id,
             "hj212": {"mn": facility.mn, "password": facility.password}}
        )  # fmt: skip
        return facility

    def add_threshold(self, **changes: Any) -> dict[str, Any]:
        """COD at once above `low`: yellow, orange from 1.5 times, red from twice."""
        rule: dict[str, Any] = {
            "id": f"cod-{self.rng.randrange(16**4):04x}",
            "title": {"zh": "化学需氧量超限"},
            "action": {"zh": "停排并复测"},
            "applies": {"kind": "hospital_wastewater"},
            "condition": {
                "threshold": {"indicator": STATION_CODE, "interval": "realtime", "unit": "mg/L"}
            },
            "levels": [
                {"severity": "yellow", "raise": f"> {self.low:g}", "clear": f"<= {self.low * 0.9:g}"},
                {"severity": "orange", "raise": f"> {self.low * 1.5:g}"},
                {"severity": "red", "raise": f"> {self.low * 2:g}"},
            ],
            "basis": {"standard": "示例标准", "edition": "2026", "clause": "1",
                      "valid_from": "2020-01-01"},
        } | changes  # fmt: skip
        self.documents["rules"]["rules"].append(rule)
        return rule

    def add_silence(self, every: str, grace: str, **changes: Any) -> dict[str, Any]:
        """Blue when a station says nothing for `every` + `grace`."""
        rule: dict[str, Any] = {
            "id": f"silent-{self.rng.randrange(16**4):04x}",
            "applies": {"kind": "hospital_wastewater"},
            "condition": {
                "missing": {"indicator": STATION_CODE, "interval": "realtime",
                            "every": every, "grace": grace}
            },
            "levels": [{"severity": "blue"}],
            "basis": {"standard": "示例标准", "edition": "2026", "clause": "2",
                      "valid_from": "2020-01-01"},
        } | changes  # fmt: skip
        self.documents["rules"]["rules"].append(rule)
        return rule

    # -- who is told -----------------------------------------------------------------------

    def add_person(self, *, territory: str | None = None) -> Person:
        """Somebody with a phone on channel sms and, if there is a channel mail, a mailbox."""
        number = len(self.people)
        person = Person(
            id=f"p{number}-{self.rng.randrange(16**3):03x}",
            name=self.word(2),
            phone=f"139{self.rng.randrange(10**5):05d}{number:03d}",
            mailbox=f"p{number}-{self.rng.randrange(16**3):03x}@mail.test",
        )
        self.people.append(person)
        channels = {channel["id"] for channel in self.documents["channels"]["channels"]}
        contacts = [
            {"id": f"{person.id}-{channel}", "channel": channel, "address": address}
            for channel, address in (("sms", person.phone), ("mail", person.mailbox))
            if channel in channels
        ]
        self.documents["people"]["people"].append(
            {"id": person.id, "name": person.name, "title": "值班员",
             "territory": territory or self.city, "contacts": contacts}
        )  # fmt: skip
        return person

    def add_roster(self, territory: str, roles: dict[str, list[Person]]) -> None:
        """People who hold each role together."""
        self.documents["rosters"]["rosters"].append(
            {"id": f"roster-{territory}", "territory": territory,
             "roles": {role: {"people": [one.id for one in who]} for role, who in roles.items()}}
        )  # fmt: skip

    def add_sms(self, url: str, **changes: Any) -> dict[str, Any]:
        """Channel `sms`: a Kannel at `url`, user yujing, password secret."""
        self.environment["KANNEL_PASSWORD"] = "secret"  # noqa: S105  of a server that lives for one test
        channel = {
            "id": "sms", "kind": "kannel", "url": url, "username": "yujing",
            "password": {"env": "KANNEL_PASSWORD"}, "sender": "10690123", "signature": "预警",
            "timeout": "2s", "callbacks_from": ["127.0.0.1"],
        } | changes  # fmt: skip
        self.documents["channels"]["channels"].append(channel)
        return channel

    def add_mail(self, port: int, **changes: Any) -> dict[str, Any]:
        """Channel `mail`: an SMTP server on loopback."""
        channel = {
            "id": "mail", "kind": "smtp", "host": "127.0.0.1", "port": port, "tls": "none",
            "from": "预警 <yujing@mail.test>",
        } | changes  # fmt: skip
        self.documents["channels"]["channels"].append(channel)
        return channel

    def add_policy(self, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
        """One policy before the resting one."""
        policies = self.documents["policies"]["policies"]
        policy = {"id": f"policy-{len(policies)}", "steps": list(steps)} | more
        if policies and policies[-1]["id"] == "rest":
            policies.insert(-1, policy)
        else:
            policies += [policy, {"id": "rest", "steps": []}]
        policy.setdefault("match", {"severity": ["blue", "yellow", "orange", "red"]})
        return policy

    # -- out -------------------------------------------------------------------------------

    def write(self, folder: Path) -> Path:
        """One file per kind under `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in self.documents.items():
            text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1000)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder


def step(role: str, *, by: str = "sms", wait: str = "1h", **more: Any) -> dict[str, Any]:
    """A step that tells one role one way."""
    return {"notify": [{"role": role}], "by": [by], "wait": wait} | more


def duty_site(
    rng: Random, *, http_port: int, hj212_port: int, sms_url: str, facilities: int = 3
) -> Site:
    """The usual site: one city, one duty officer, one leader, COD rule, SMS; repeats far away."""
    site = Site(rng, http_port, hj212_port)
    site.add_sms(sms_url)
    duty, leader = site.add_person(), site.add_person(territory=site.province)
    site.add_roster(site.city, {"duty_officer": [duty], "shift_leader": [leader]})
    site.add_policy(step("duty_officer"), step("shift_leader"))
    site.add_threshold()
    for _ in range(facilities):
        site.add_facility()
    return site
