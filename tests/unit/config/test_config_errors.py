"""Every mistake in a configuration names its file, its line, what was seen and what to do."""

from collections.abc import Callable

import pytest

from shared.config.load import check

HEAD = "applies: {kind: medical_waste}, "
BASIS = "basis: {standard: s, edition: '1', clause: c, valid_from: 2020-01-01}"


def test_an_unknown_key_is_an_error_at_its_line(directory):
    """A misspelt key would silently be a default."""
    line = directory.replace("rules.yaml", "    keep_firing_for:", "    keep_fireing_for:")
    assert directory.errors() == [
        f"rules.yaml:{line}: unknown key 'keep_fireing_for'; delete it or correct it "
        "(keep_firing_for?)"
    ]


@pytest.mark.parametrize(
    "file",
    [
        "site",
        "territories",
        "access",
        "facilities",
        "people",
        "rosters",
        "policies",
        "channels",
        "rules",
    ],
)
def test_an_unknown_key_at_the_head_of_any_file_is_an_error(directory, file):
    """No file has room for notes."""
    text = (directory.root / f"{file}.yaml").read_text(encoding="utf-8")
    directory.write(f"{file}.yaml", text + "nonsense: 1\n")
    line = text.count("\n") + 1
    (said,) = directory.errors()
    assert said.startswith(
        f"{file}.yaml:{line}: unknown key 'nonsense'; delete it or correct it (known: "
    )


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("site", "history: {kept: 30d}\n", "unknown key 'kept'; delete it or correct it (keep?)"),
        ("site", "history: 30d\n", "history is '30d': give keys and values: keep"),
        ("rules", "inhibits: []\n", "correct it (inhibits stands in policies.yaml)"),
        ("rollups", "rollups: [{id: a, complete: 0}]\n", "complete is '0': give more than 0"),
        ("rollups", "rollups: [{id: a, complete: 80}]\n", "complete is '80': give at most 1"),
        ("policies", "inhibits: [{id: a, source: {condition: [missing]}, target: {rule: a}}]\n",
         "unknown key 'condition'; delete it or correct it (known: rule)"),
        ("campaigns", "campaigns: [{id: a, title: 行动}]\n",
         "title is '行动': give keys and values: zh, en"),
        ("campaigns", "campaigns: [{id: a, rules: [{rule: b, conditions: {treshold: {}}}]}]\n",
         "unknown key 'conditions'; delete it or correct it (condition?)"),
    ],
)  # fmt: skip
def test_what_was_probably_meant_is_said(directory, file, text, said):
    """The keys that may stand there, the one that is near, or the file it belongs into."""
    old = directory.root / f"{file}.yaml"
    directory.write(f"{file}.yaml", (old.read_text("utf-8") if old.exists() else "") + text)
    assert any(said in error for error in directory.errors()), directory.errors()


def test_an_item_that_lacks_a_key_is_named_by_its_own_line(directory):
    """There is no line of what is not there."""
    line = directory.replace(
        "facilities.yaml",
        "  - id: 430105-ww-03-a\n    facility: 430105-ww-03\n",
        "  - id: 430105-ww-03-a\n",
    )
    assert directory.errors() == [f"facilities.yaml:{line}: facility is missing; add it"]


def test_all_errors_of_all_files_come_at_once_in_order(directory):
    """Nobody should restart ten times for ten mistakes, nor read one twice."""
    lines = [
        ("facilities.yaml", directory.replace("facilities.yaml", "kind: medical_waste", "kind: waste")),
        ("people.yaml", directory.replace("people.yaml", "id: song-mail, channel: mail", "id: song-mail, channel: post")),
        ("policies.yaml", directory.replace("policies.yaml", "wait: 10m", "wait: soon")),
        ("policies.yaml", directory.replace("policies.yaml", "person: song", "person: nobody")),
        ("rosters.yaml", directory.replace("rosters.yaml", "[qin, tang]", "[qin, someone]")),
        ("rules.yaml", directory.replace("rules.yaml", "w01018", "w99999")),
        ("site.yaml", directory.replace("site.yaml", "tick: 2s", "tick: 0s")),
    ]  # fmt: skip
    # `urgent` is left out for its wait; its person is looked up once the wait is right.
    expected = [f"{file}:{line}" for file, line in lines if (file, line) != lines[3]]
    assert [error.split(": ")[0] for error in directory.errors()] == sorted(expected)


def test_what_refers_to_a_wrong_item_is_not_a_second_error(directory):
    """A station of a facility with a bad kind is not homeless."""
    line = directory.replace("facilities.yaml", "kind: hospital_wastewater", "kind: hospital")
    (error,) = directory.errors()
    assert error.startswith(f"facilities.yaml:{line}: kind is 'hospital': give 'medical_waste'")


def test_a_variable_that_is_not_set_is_an_error_at_its_line(directory):
    """A secret that is missing must not become an empty one."""
    del directory.environ["DESK"]
    assert directory.errors() == [
        "access.yaml:3: variable DESK is not set; set it or write the value here"
    ]


def test_a_file_that_is_not_there_is_an_error_at_its_line(directory):
    """It is looked for under the configuration directory."""
    line = directory.replace("people.yaml", '"13900000078"', "{file: phones/tang}")
    (error,) = directory.errors()
    assert error.startswith(f"people.yaml:{line}: file phones/tang cannot be read")


@pytest.mark.parametrize("kind", ["variable", "written"])
def test_a_short_secret_key_is_refused_and_never_shown(directory, kind):
    """An error goes to a terminal, a log and a ticket."""
    secret = "hush-hush-hush"
    if kind == "variable":
        directory.environ["SITE_KEY"] = secret
    else:
        directory.replace("site.yaml", "{env: SITE_KEY}", secret)
    (error,) = directory.errors()
    assert error.startswith("site.yaml:2: secret_key: ")
    assert "32" in error
    assert secret not in error


def test_no_error_shows_what_a_variable_holds(directory):
    """Any value may be a secret when it comes from outside."""
    secret = "s3cret value?"
    directory.environ |= {"X": secret}
    directory.replace("channels.yaml", "port: 2525", "port: {env: X}")
    directory.replace("channels.yaml", "timeout: 7s", "timeout: {env: X}")
    directory.replace("facilities.yaml", "t_per_day: 77.5", "t_per_day: {env: X}")
    directory.replace("people.yaml", "id: qin-mail", "id: {env: X}")
    directory.replace("site.yaml", '"http://127.0.0.1:8620/"', "{env: X}")
    errors = directory.errors()
    assert len(errors) == 5
    assert all(secret not in error for error in errors)


def test_a_newer_configuration_says_so(directory):
    """An old program must not guess."""
    directory.replace("site.yaml", "version: 1", "version: 2")
    (error,) = directory.errors()
    assert error.startswith("site.yaml:1: version is '2': this configuration is newer")


def test_no_site_is_an_error(directory):
    """Everything else may be absent."""
    (directory.root / "site.yaml").unlink()
    (error,) = directory.errors()
    assert error.startswith("site.yaml:1: there is no site.yaml")


def test_no_directory_is_an_error(directory):
    """Not an empty configuration."""
    configuration, findings = check(directory.root / "gone", {})
    assert configuration is None
    assert [str(f) for f in findings] == ["gone:1: no such directory; give --config DIR"]


def test_a_file_and_a_folder_of_one_name_are_an_error(directory):
    """Which of the two counts would be a guess."""
    directory.write("people/more.yaml", "people:\n")
    assert directory.errors() == [
        "people.yaml:1: people.yaml and the folder people/ both exist; keep one"
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("rules:\n  - id: a\n    id: b\n", 3, "key 'id' stands twice"),
        ("rules:\n  a: 1\n\tb: 2\n", 3, "indent with blanks"),
        ("rules:\n  - raise: >= 80\n", 2, "stands in quotes"),
        ("rules: [\n", 2, "not YAML"),
        ("packs: []\nrules: &a [*a]\n", 2, "nested deeper"),
        ("- id: a\n", 1, "give keys and values"),
        ("rules: some\n", 1, "give a list"),
        ("packs: []\nrules: [5]\n", 2, "give keys and values"),
        ("rules:\n---\nrules:\n", 2, "another document"),
        ("rules: []\n# \x07\n", 2, "control character"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_names_its_line(directory, text, line, said):
    """One line of error, whatever is in the file."""
    directory.write("rules.yaml", text)
    errors = directory.errors()
    assert any(e.startswith(f"rules.yaml:{line}: ") and said in e for e in errors), errors


def test_bytes_that_are_not_utf8_name_their_line(directory):
    """Windows editors save GBK."""
    (directory.root / "people.yaml").write_bytes("people:\n# 值班\n".encode("gbk"))
    assert directory.errors() == ["people.yaml:2: not UTF-8; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("site.yaml", "Asia/Shanghai", "Asia/Wuhan", "time zone 'Asia/Wuhan' is not known"),
        ("site.yaml", '"http://127.0.0.1:8620/"', "127.0.0.1:8620", "give an address"),
        ("site.yaml", "deaf_after: 45s", "deaf_after: 40000d", "longer than 100 years"),
        ("site.yaml", "zh-CN", "zh", "give 'zh-CN' or 'en'"),
        ("territories.yaml", 'parent: "430000"', 'parent: "440000"', "territory '440000' does not exist"),
        ("territories.yaml", 'name: 湖南省}', 'name: 湖南省, parent: "430100"}', "stands above itself"),
        ("territories.yaml", '"439004"', '"430100"', "territory '430100' exists already (territories.yaml:3)"),
        ("access.yaml", ', facilities: ["430100-*"]', "", "an upstream needs facilities"),
        ("access.yaml", ', territory: "430100"', "", "an officer needs a territory"),
        ("access.yaml", "{env: OPS}", '""', "token: give at least 1 character"),
        ("access.yaml", "{env: OPS}", "{env: DESK}", "the token is that of 'desk' too"),
        ("facilities.yaml", "  - id: 430105-ww-03-a\n", "  - {id: 430105-ww-03-a, facility: 430100-mw-07}\n  - id: 430105-ww-03-a\n", "station '430105-ww-03-a' exists already (facilities.yaml:14)"),
        ("facilities.yaml", "  - id: 430105-ww-03-a\n", "  - {id: b, facility: 430105-ww-03, hj212: {mn: 010000A8900016F0001612AB}}\n  - id: 430105-ww-03-a\n", "mn is that of station 'b' too"),
        ("facilities.yaml", "  - id: 430105-ww-03-a\n", "  - id: 430100-mw-07\n", "one of another has its id"),
        ("facilities.yaml", "    facility: 430105-ww-03\n", "    facility: nowhere\n", "facility 'nowhere' does not exist"),
        ("facilities.yaml", "from: 2020-01-19", "from: 2021-03-04", "a capacity from 2021-03-04 stands there already"),
        ("facilities.yaml", "from: 2020-01-19", "from: 19.1.2020", "give a date"),
        ("facilities.yaml", "t_per_day: 40", "t_per_day: -1", "t_per_day is '-1'"),
        ("facilities.yaml", "t_per_day: 40", "t_per_day: .nan", "finite"),
        ("facilities.yaml", "crc: modbus", "crc: crc16", "give 'hj212', 'modbus' or 'any'"),
        ("people.yaml", "id: tang-sms, channel: sms", "id: tang-sms, channel: fax", "channel 'fax' does not exist"),
        ("people.yaml", "id: qin-mail", "id: qin-sms", "contact 'qin-sms' stands twice"),
        ("rosters.yaml", "people: [qin, tang]", "people: [qin, gone]", "person 'gone' does not exist"),
        ("rosters.yaml", "every: 12h", "every: 12", "give a duration"),
        ("rosters.yaml", "every: 12h", "every: 0s", "every is '0s'"),
        ("rosters.yaml", '"07:30"', '"7.30"', "give a local time"),
        ("rosters.yaml", '"2026-02-01T08:00+08:00"', '"2026-03-01T08:00+08:00"', "ends before it begins"),
        ("rosters.yaml", '"2026-02-01T08:00+08:00"', '"next week"', "from: 'next week' is neither a date nor a time"),
        ("rosters.yaml", 'id: hunan\n    territory: "430000"', 'id: hunan\n    territory: "430100"', "has the roster 'changsha' already"),
        ("policies.yaml", "{id: rest, steps: []}", "{id: rest, match: {severity: red}}", "the last policy has a match"),
        ("policies.yaml", "    match: {severity: [yellow, orange, red], kind: medical_waste}\n", "", "takes every alert"),
        ("policies.yaml", "[yellow, orange, red]", "[yellow, purple]", "give one of blue, yellow, orange, red"),
        ("policies.yaml", "by: [sms], wait: 10m", "by: [smoke], wait: 10m", "channel 'smoke' does not exist"),
        ("policies.yaml", "by: [sms], wait: 10m", "by: [], wait: 10m", "by: give at least 1 item"),
        ("policies.yaml", "{role: shift_leader}", "{role: shift_leader, person: song}", "give either role or person"),
        ("policies.yaml", "person: song", "person: sing", "person 'sing' does not exist"),
        ("policies.yaml", "territory: parent", "territory: above", "territory 'above' does not exist"),
        ("policies.yaml", "kind: medical_waste}", "rule: [none]}", "rule 'none' does not exist"),
        ("policies.yaml", "sign_off: any", "flapping: {reopenings: 0, within: 2h, calm: 1h}", "reopenings is '0'"),
        ("policies.yaml", "sign_off: any", "flapping: {reopenings: 3, within: 2h}", "calm is missing"),
        ("policies.yaml", "{id: rest, steps: []}", "{id: rest, steps: [], flapping: {reopenings: 3, within: 2h, calm: 1h}}", "tells nobody"),
        ("channels.yaml", "kind: smtp", "kind: post", "kind 'post' is not known"),
        ("channels.yaml", ', url: "http://127.0.0.1:13013/cgi-bin/sendsms"', "", "url is missing"),
        ("channels.yaml", "[127.0.0.1]", "[gateway.example.org]", "'gateway.example.org' is no IP address"),
        ("channels.yaml", "orange: 2", "orange: -2", "orange is '-2'"),
        ("people.yaml", '"13900000078"', '{file: "a\\0b"}', "this is no path"),
        ("channels.yaml", "port: 2525", "port: 70000", "port is '70000'"),
        ("channels.yaml", "port: 2525", "port: true", "give a whole number"),
        ("channels.yaml", "预警 <yujing@example.org>", "预警", "from holds no mail address"),
        ("rules.yaml", "packs: [mw-load]", "packs: [mw-loads]", "pack 'mw-loads' does not exist; shipped are"),
        ("rules.yaml", "  - id: load\n", "  - id: mw-official-load\n", "is one of pack mw-load"),
        ("rules.yaml", "{id: silent,", "{id: band,", "rule 'band' exists already"),
        ("rules.yaml", 'territory: "430000"', 'territory: "110000"', "territory '110000' does not exist"),
        ("rules.yaml", "zh: 协调外运", "zh: 请立即协调外运并报告当班组长", "at most 12 characters"),
        ("rules.yaml", '"2030-01-01T12:00"', "1999-01-01", "valid_to is not after valid_from"),
        ("rules.yaml", '"2030-01-01T12:00"', "2030-13-01", "neither a date nor a time"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_line(directory, file, old, new, said):
    """What was seen, and what to do."""
    line = directory.replace(file, old, new)
    errors = directory.errors()
    assert len(errors) == 1, errors
    place, _, text = errors[0].partition(": ")
    assert said in text
    # A change of several lines is named by the one that matters.
    assert place.startswith(f"{file}:")
    assert int(place.split(":")[1]) - line in range(-2, 5)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("condition: {threshold: {indicator: w01018, interval: day, unit: mg/m³}}, levels: [{severity: red, raise: '> 1'}]", "cannot be compared with w01018"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red}]", "raise is missing for red"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: []", "levels: give at least 1 item"),
        ("condition: {threshold: {indicator: w01018, interval: week}}, levels: [{severity: red, raise: '> 1'}]", "give 'realtime', 'minute', 'hour' or 'day'"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '= 1'}]", "give a test such as"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '> 1'}, {severity: red, raise: '> 2'}]", "severity red stands twice"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '>= 80', clear: '< 90'}]", "swap them or delete clear"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '>= 80', clear: '<= 80'}]", "can hold for one value"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '>= 80', clear: '> 90'}]", "can hold for one value"),
        ("condition: {threshold: {indicator: w01009, interval: day}}, levels: [{severity: red, raise: '< 2', clear: '> 1.5'}]", "can hold for one value"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '> 50'}, {severity: blue, raise: '> 60'}]", "red '> 50' raises earlier than blue '> 60'"),
        ("condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '> 50'}, {severity: blue, raise: '< 6'}]", "look to both sides"),
        ("condition: {range: {indicator: w01001, interval: day, low: 9, high: 6}}, levels: [{severity: red}]", "low 9 is not below high 6"),
        ("condition: {range: {indicator: w01001, interval: day, low: 6, high: 9, deadband: 1.5}}, levels: [{severity: red}]", "nothing between 6 and 9 would clear"),
        ("condition: {range: {indicator: w01001, interval: day, low: 6, high: 9, deadband: -1}}, levels: [{severity: red}]", "deadband is '-1'"),
        ("condition: {range: {indicator: w01001, interval: day, low: 6, high: 9}}, levels: [{severity: red, raise: '> 1'}]", "a range level has no raise"),
        ("condition: {range: {indicator: w01001, interval: day, low: 6, high: 9}}, levels: [{severity: red}, {severity: blue}]", "exactly one level"),
        ("condition: {missing: {indicator: w01001, interval: day}}, for: 0s, levels: [{severity: red}]", "a missing rule has no for"),
        ("condition: {missing: {indicator: w01001, interval: day}}, keep_firing_for: 1m, levels: [{severity: red}]", "has no keep_firing_for"),
        ("condition: {missing: {indicator: w01001, interval: day}}, unknown: hold, levels: [{severity: red}]", "has no unknown"),
        ("condition: {missing: {indicator: w01001, interval: hour, due: '10:00'}}, levels: [{severity: red}]", "due goes with interval day"),
        ("condition: {missing: {indicator: w01001, interval: day, due: '10:00', every: 1d}}, levels: [{severity: red}]", "due or every, not both"),
        ("condition: {missing: {indicator: w01001, interval: realtime}}, levels: [{severity: red}]", "every is missing"),
        ("condition: {ratio: {of: [mw.disposed_t, mw.disposed_t], over: mw.capacity_t, interval: day}}, levels: [{severity: red, raise: '> 1'}]", "stands twice"),
        ("condition: {ratio: {of: mw.disposed_t, over: capacity, interval: day}}, levels: [{severity: red, raise: '> 1'}]", "indicator 'capacity' is not known"),
        ("condition: {ratio: {of: mw.disposed_t, over: mw.capacity_t, interval: day, unit: t}}, levels: [{severity: red, raise: '> 1'}]", "give '%' or '1'"),
        ("condition: {}, levels: [{severity: red, raise: '> 1'}]", "give exactly one of threshold, range, ratio, missing"),
        ("condition: {threshold: {indicator: chlorine, interval: day}}, levels: [{severity: red, raise: '> 1'}]", "indicator 'chlorine' is not known"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(only: Callable[[str], str], rule, said):
    """A limit that cannot be judged is worse than none."""
    error = only(f"{HEAD}{rule}, {BASIS}")
    assert error.startswith("rules.yaml:2: ")
    assert said in error


@pytest.mark.parametrize(
    "rule",
    [
        "condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '>80', clear: '<80'}]",
        "condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '>= 80', clear: '< 80'}]",
        "condition: {threshold: {indicator: w01009, interval: hour}}, levels: [{severity: red, raise: '< 2'}, {severity: blue, raise: '< 5', clear: '>= 5.5'}]",
        "condition: {threshold: {indicator: w01018, interval: day}}, levels: [{severity: red, raise: '> 50'}, {severity: blue, raise: '>= 50'}]",
        "condition: {threshold: {indicator: a21026, interval: hour, unit: ug/m3}}, levels: [{severity: red, raise: '> 1e2'}], for: 500ms, unknown: alert",
        "condition: {missing: {indicator: w01001, interval: day, every: 36h}}, levels: [{severity: red}]",
        "condition: {ratio: {of: [mw.generated_t, mw.backlog_t], over: mw.capacity_t, interval: day}}, levels: [{severity: red, raise: '> 0.9'}]",
    ],
)  # fmt: skip
def test_a_rule_at_the_edge_of_sense_is_taken(only: Callable[[str], str], rule):
    """Strict, but not stricter than the manual."""
    assert only(f"{HEAD}{rule}, {BASIS}") == ""


FLAGS = "flags:\n  - {id: cems, meanings: {B: F, St: F, 0: C}}\n"
STATION = "    codes: {w19011:"


def with_flags(directory, flags=FLAGS, name="cems"):
    directory.replace("facilities.yaml", STATION, f"    flags: {name}\n{STATION}")
    directory.replace("facilities.yaml", "stations:", f"{flags}stations:")


def test_a_station_may_have_the_flags_of_its_source(directory):
    """Digits may stand without quotes."""
    with_flags(directory)
    assert directory.load().flags == {"430105-ww-03-a": {"B": "F", "St": "F", "0": "C"}}


def test_flags_that_nobody_explains_are_an_error(directory):
    with_flags(directory, name="cem")
    (said,) = directory.errors()
    assert said.endswith(
        "dictionary of flags 'cem' does not exist; add it or correct it"
    ) and said.startswith("facilities.yaml:"), said


def test_a_flag_must_become_one_of_hj212(directory):
    with_flags(directory, FLAGS.replace("St: F", "St: X"))
    (said,) = directory.errors()
    assert said.startswith("facilities.yaml:") and "'X'" in said, said
