"""Case file: the YAML of `yujing rules test`, read and checked; every error with its line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from services.authoring.expected import TIMES, words_of_expected
from shared.config.inline import KEYS, inline
from shared.config.load import check
from shared.config.nodes import Document, Finding, read
from shared.config.schema.cases import CaseFile
from shared.config.validate import Left, validate
from shared.errors import ConfigError
from shared.model.configuration import Configuration
from shared.model.instants import Instant, parse_duration, parse_instant

EARLIEST_US, LATEST_US = -2_208_988_800_000_000, 221_845_392_000_000_000
"""The years 1900 to 9000."""


class Question(msgspec.Struct, frozen=True):
    """What stands at one instant, of one rule or of all."""

    line: int
    at_us: Instant
    written: str
    rule: str | None
    alerts: tuple[tuple[int, dict[str, Any]], ...]
    """(line, what is expected of it); all that is pending or firing, no more and no less."""


class Case(msgspec.Struct, frozen=True):
    """One case with its times resolved; `line` is where it begins."""

    name: str
    file: Path
    line: int
    index: int
    start_us: Instant
    interval_us: int
    model: Any
    document: Document
    questions: tuple[Question, ...]
    transitions: tuple[tuple[int, dict[str, Any]], ...] | None
    until_us: Instant | None

    def line_of(self, *path: str | int) -> int:
        return self.document.line(("tests", self.index, *path))


class CasesWrong(ConfigError):
    """A case file, or the configuration it names, cannot be used."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))


def load_cases(path: Path, environ: Mapping[str, str]) -> tuple[Configuration, list[Case]]:
    """
    The configuration under test and the cases of one file.

    Raises:
        CasesWrong: one finding per error.
    """
    if not path.is_file():
        raise CasesWrong([Finding(str(path), 1, "no such file")])
    document, findings = read(path, path.parent, environ)
    document.file = str(path)
    findings = [msgspec.structs.replace(each, file=str(path)) for each in findings]
    if not isinstance(document.value, dict):
        said = Finding(str(path), 1, "this is no file of cases; give config or rules, and tests")
        raise CasesWrong(findings or [said])
    own = {key: value for key, value in document.value.items() if key not in KEYS}
    model = validate(CaseFile, Document(str(path), own, document.lines), findings, Left())
    if findings or model is None:
        raise CasesWrong(findings)
    configuration = _configuration(path, document, model, environ)
    cases = [
        _case(path, document, model, index, configuration, findings)
        for index in range(len(model.tests))
    ]
    if findings:
        raise CasesWrong(sorted(findings))
    return configuration, cases


def _configuration(
    path: Path, document: Document, model: CaseFile, environ: Mapping[str, str]
) -> Configuration:
    inside = [key for key in KEYS if key in document.value]
    if (model.config is None) == (not inside):
        line = document.line(("config",))
        what = f"config and {inside[0]} both stand here" if inside else "there are no rules"
        text = f"{what}; give either config: DIR or rules with facilities"
        raise CasesWrong([Finding(str(path), line, text)])
    if model.config is None:
        configuration, findings = inline(document)
    else:
        directory = path.parent / model.config
        configuration, findings = check(directory, environ)
        findings = [
            msgspec.structs.replace(each, file=str(directory / each.file)) for each in findings
        ]
    if configuration is None:
        raise CasesWrong([each for each in findings if not each.warning])
    return configuration


def _case(
    path: Path, document: Document, model: CaseFile, index: int, configuration: Configuration,
    findings: list[Finding],
) -> Case:  # fmt: skip
    each = model.tests[index]
    zone = configuration.site.zone

    def line(*keys: str | int) -> int:
        return document.line(("tests", index, *keys))

    def fail(text: str, *keys: str | int) -> None:
        findings.append(Finding(str(path), line(*keys), text))

    start_us = Instant(0)
    try:
        start_us = within_reach(parse_instant(each.start, zone))
    except ValueError as error:
        fail(f"start: {error}", "start")

    def moment(value: Any, *keys: str | int) -> Instant:
        try:
            return moment_of(value, start_us, zone)
        except ValueError as error:
            fail(f"{keys[-1]}: {error}", *keys)
            return start_us

    def expected(item: dict[str, Any], *keys: str | int) -> tuple[int, dict[str, Any]]:
        words, wrong = words_of_expected(item)
        for key, text in wrong:
            fail(text, *keys, key)
        for name in TIMES & words.keys():
            words[name] = moment(words[name], *keys, name)
        return line(*keys), words

    for rule in each.only:
        if rule not in configuration.rules:
            fail(f"rule {rule!r} does not exist; correct it", "only")
    questions = []
    for number, asked in enumerate(each.alert_rule_test):
        keys = ("alert_rule_test", number)
        of = asked.rule or asked.alertname
        if of is not None and of not in configuration.rules:
            fail(f"rule {of!r} does not exist; correct it", *keys, "rule")
        at_us = moment(asked.eval_time, *keys, "eval_time")
        alerts = [expected(a, *keys, "exp_alerts", n) for n, a in enumerate(asked.exp_alerts)]
        written = str(getattr(asked.eval_time, "text", asked.eval_time))
        questions.append(Question(line(*keys), at_us, written, of, tuple(alerts)))
    transitions = None
    if each.transitions is not None:
        transitions = tuple(expected(t, "transitions", n) for n, t in enumerate(each.transitions))
    if not questions and transitions is None:
        fail("this case expects nothing; give alert_rule_test or transitions")
    until_us = None if each.until is None else Instant(start_us + each.until)
    return Case(
        each.name or f"case {index + 1}", path, line(), index, start_us,
        each.interval or model.evaluation_interval, each, document,
        tuple(sorted(questions, key=lambda q: q.at_us)), transitions, until_us,
    )  # fmt: skip


def moment_of(value: Any, start_us: int, zone: Any) -> Instant:
    """A duration after the start (`1h30m` too, as Prometheus writes it), or a time.

    Raises:
        ValueError: neither.
    """
    text = str(getattr(value, "text", value)).strip()
    if text == "0":
        return Instant(start_us)
    if "-" in text:
        return within_reach(parse_instant(text, zone))
    total, number = 0, ""
    for place, character in enumerate(text):
        number += character
        ends = character.isalpha() and not text[place + 1 : place + 2].isalpha()
        if ends:
            total += parse_duration(number)
            number = ""
    if number or not text:
        raise ValueError(f"{text!r} is neither a duration such as 1h30m nor a time")
    return within_reach(start_us + total)


def within_reach(at_us: int) -> Instant:
    """Raises:
    ValueError: so near the edge of the calendar that its window may lie outside.
    """
    if not EARLIEST_US <= at_us <= LATEST_US:
        raise ValueError("a time outside the years 1900 to 9000; correct it")
    return Instant(at_us)
