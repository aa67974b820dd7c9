"""What a correct configuration directory becomes."""

from datetime import date, time
from zoneinfo import ZoneInfo

from shared.config.schemas import stale
from shared.model.configuration import decode_bundle, encode_bundle, lineage
from shared.model.facility import Capacity
from shared.model.instants import parse_instant
from shared.model.people import Repeat, Target
from shared.model.rule import Missing, Range, Ratio, Threshold
from shared.model.severity import Severity

MINUTE = 60_000_000
ZONE = ZoneInfo("Asia/Shanghai")


def test_every_example_of_the_contract_loads_without_a_word(directory):
    """What the manual shows works as it is printed."""
    assert directory.errors() == []


def test_site_and_timing_are_as_written(directory):
    """The base address ends without a slash, so that links have one."""
    c = directory.load()
    assert (c.site.name, c.site.base_url) == ("衡山示例", "http://127.0.0.1:8620")
    assert c.site.secret_key == directory.environ["SITE_KEY"]
    assert c.timing.tick_us == 2_000_000
    assert c.timing.min_step_gap_us == 500_000


def test_a_parent_is_the_prefix_unless_it_is_given(directory):
    """430105 stands below 430100, and a directly governed city where it says."""
    territories = directory.load().territories
    assert lineage("430105", territories) == ["430105", "430100", "430000", "000000"]
    assert lineage("439004", territories) == ["439004", "430000", "000000"]
    assert territories["000000"].name == "全国"


def test_a_prefix_that_is_not_configured_is_skipped(directory):
    """Without the city the district stands below the province."""
    directory.write(
        "territories.yaml",
        'territories: [{id: "430000", name: 省}, {id: "430100", name: 市}, {id: "430105", name: 区},'
        ' {id: "120105", name: 河北区}, {id: "430105009", name: 街道}, {id: 000000, name: 中国}]\n',
    )
    territories = directory.load().territories
    assert territories["120105"].parent == "000000"
    assert territories["430105009"].parent == "430105"
    assert (territories["000000"].name, territories["000000"].parent) == ("中国", None)


def test_capacities_stand_in_order_of_their_day(directory):
    """The file may name them in any order."""
    facility = directory.load().facilities["430100-mw-07"]
    assert facility.capacity == (
        Capacity(date(2020, 1, 19), 40.0),
        Capacity(date(2021, 3, 4), 77.5),
    )


def test_attributes_are_the_text_that_was_written(directory):
    """`2` and `1A` are both classes."""
    facility = directory.load().facilities["430105-ww-03"]
    assert facility.attributes["air_class"] == "2"
    assert facility.attributes["class"] == "1A"
    assert facility.short_name == facility.name


def test_a_facility_without_a_station_has_one_with_its_own_id(directory):
    """Small facilities need no list of stations."""
    c = directory.load()
    assert [s.id for s in c.stations_of("430100-mw-07")] == ["430100-mw-07"]
    assert [s.id for s in c.stations_of("430105-ww-03")] == ["430105-ww-03-a"]


def test_a_station_names_its_codes(directory):
    """HJ 212 has no code for residual chlorine; the station says which it uses."""
    c = directory.load()
    station = c.stations["430105-ww-03-a"]
    assert station.hj212 is not None
    assert (station.hj212.crc, station.hj212.window_label) == ("modbus", "end")
    assert station.codes["w19011"].indicator == "residual_chlorine"
    assert c.indicators["residual_chlorine"].unit == "mg/L"


def test_rosters_rotate_hold_and_are_overridden(directory):
    """Times without an offset are those of the site."""
    roster = directory.load().rosters["430100"]
    rotation = roster.rotations["duty_officer"]
    assert rotation.people == ("qin", "tang")
    assert (rotation.every_us, rotation.handover) == (12 * 60 * MINUTE, time(7, 30))
    assert rotation.first == date(2026, 1, 5)
    assert roster.fixed == {"shift_leader": ("song",)}
    assert roster.overrides[0].to_us == parse_instant("2026-02-02T08:00:00+08:00", ZONE)


def test_policies_keep_their_order_steps_and_ends(directory):
    """The last one takes what is left."""
    first, _, last = directory.load().policies
    assert first.match is not None
    assert first.match.kind == ("medical_waste",)
    assert first.steps[0].repeat == Repeat(3 * MINUTE, 2)
    assert first.steps[2].notify == (Target("duty_officer", None, "parent"),)
    assert first.catch_all is not None
    assert (last.match, last.steps, last.catch_all) == (None, (), None)


def test_channels_carry_their_budget(directory):
    """A reserve is kept for its severity and those above."""
    channels = directory.load().channels
    assert channels["sms"].timeout_us == 7_000_000
    assert channels["sms"].budget is not None
    assert channels["sms"].budget.reserve == {Severity.ORANGE: 2, Severity.RED: 3}
    assert channels["mail"].mail_from == "预警 <yujing@example.org>"
    assert channels["screen"].budget is None


def test_levels_stand_in_order_of_severity(directory):
    """The order in the file means nothing."""
    levels = directory.load().rules["load"].levels
    assert [level.severity for level in levels] == [Severity.BLUE, Severity.ORANGE]
    assert levels[0].raises is not None
    assert levels[0].raises.text == ">= 80"


def test_conditions_are_as_written(directory):
    """One of each kind."""
    rules = directory.load().rules
    assert rules["load"].condition == Ratio(("mw.disposed_t",), "mw.capacity_t", "day", "%")
    assert rules["cod"].condition == Threshold("w01018", "day", "µg/L")
    assert rules["band"].condition == Range("residual_chlorine", "realtime", 6.5, 10, 0.3, "mg/L")
    assert rules["day-missing"].condition == Missing(
        "mw.disposed_t", "day", due=time(10, 0), grace_us=30 * MINUTE
    )
    assert rules["silent"].condition == Missing(
        "residual_chlorine", "realtime", every_us=5 * MINUTE, grace_us=2 * MINUTE
    )


def test_a_date_of_an_edition_is_its_first_instant_in_site_time(directory):
    """Two editions meet without a gap at midnight of the site."""
    basis = directory.load().rules["cod"].basis
    assert basis.valid_from_us == parse_instant("2006-01-01T00:00:00+08:00", ZONE)
    assert basis.valid_to_us == parse_instant("2030-01-01T12:00:00+08:00", ZONE)


def test_missing_rules_have_the_defaults_of_the_contract(directory):
    """A day is due at midnight; minute and hour are expected once a window."""
    rules = [
        f"  - {{id: m-{interval}, condition: {{missing: {{indicator: w01018, interval: {interval}}}}},"
        " levels: [{severity: blue}],"
        " basis: {standard: s, edition: 2026, clause: 4.10, valid_from: 2020-01-01}}\n"
        for interval in ("minute", "hour", "day")
    ]
    directory.write("rules.yaml", "rules:\n" + "".join(rules))
    built = directory.load().rules
    assert built["m-day"].condition == Missing("w01018", "day", due=time(0, 0))
    assert built["m-hour"].condition == Missing("w01018", "hour", every_us=60 * MINUTE)
    assert built["m-minute"].condition == Missing("w01018", "minute", every_us=MINUTE)
    assert (built["m-day"].basis.edition, built["m-day"].basis.clause) == ("2026", "4.10")


def test_a_part_may_be_a_folder_of_files(directory):
    """Each county keeps its own file; together they are one list."""
    (directory.root / "facilities.yaml").rename(directory.root / "moved")
    text = (directory.root / "moved").read_text(encoding="utf-8")
    facilities, stations = text.split("stations:")
    directory.write("facilities/10-all.yaml", facilities)
    directory.write("facilities/20-stations.yaml", "stations:" + stations)
    directory.write("facilities/.draft.yaml", "not: read")
    assert len(directory.load().facilities) == 2


def test_parts_that_are_absent_are_empty(directory):
    """A site is all it takes; rules may be judged before anybody is told."""
    for name in ("access", "facilities", "people", "rosters", "policies", "channels", "rules"):
        (directory.root / f"{name}.yaml").unlink()
    directory.write("rules.yaml", "rules:\n")
    c = directory.load()
    assert (c.facilities, c.policies, c.rules) == ({}, (), {})


def test_any_value_may_come_from_a_variable_or_a_file(directory):
    """Numbers, durations and texts alike; a file ends without its line break."""
    directory.environ |= {"PORT": "2526", "EVERY": "90m", "LIMIT": "77.25"}
    directory.write("secrets/phone", "13900000066\n")
    directory.replace("channels.yaml", "port: 2525", "port: {env: PORT}")
    directory.replace("policies.yaml", "every: 2h", "every: {env: EVERY}")
    directory.replace("facilities.yaml", "t_per_day: 77.5", "t_per_day: {env: LIMIT}")
    directory.replace("people.yaml", '"13900000077"', "{file: secrets/phone}")
    c = directory.load()
    assert c.channels["mail"].port == 2526
    assert c.policies[0].catch_all is not None
    assert c.policies[0].catch_all.every_us == 90 * MINUTE
    assert c.facilities["430100-mw-07"].capacity[1].t_per_day == 77.25
    assert c.people["qin"].contacts[0].address == "13900000066"


def test_unquoted_codes_and_times_are_the_text_that_was_written(directory):
    """430100 and 07:30 need no quotes, and 000000 keeps its zeros."""
    directory.replace(
        "people.yaml",
        'name: 秦值, title: 值班员, territory: "430100"',
        "name: 秦值, title: 值班员, territory: 000000",
    )
    directory.replace("rosters.yaml", '"07:30"', "07:30")
    directory.replace("facilities.yaml", 'password: "654321"', "password: 004321")
    c = directory.load()
    assert c.people["qin"].territory == "000000"
    assert c.rosters["430100"].rotations["duty_officer"].handover == time(7, 30)
    station = c.stations["430105-ww-03-a"]
    assert station.hj212 is not None
    assert station.hj212.password == "004321"


def test_the_bundle_of_a_configuration_survives_its_bytes(directory):
    """Equal configurations have one name, and no HJ 212 password is in it."""
    bundle = directory.load().bundle()
    name, body = encode_bundle(bundle)
    assert decode_bundle(body) == bundle
    assert encode_bundle(directory.load().bundle())[0] == name
    assert b"654321" not in body


def test_published_schemas_are_current():
    """Editors complete what the program accepts; `make schemas` writes them."""
    assert stale() == []
