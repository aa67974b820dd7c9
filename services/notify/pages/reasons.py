"""Reasons: what the ledger says, as officials read it: names for ids, Chinese for our own words.

The ledger keeps the words it was hashed with. What is not of ours (a provider's answer) stays.
"""

import re
from collections.abc import Mapping

from services.notify.pages.clockwork import Clockwork
from services.notify.pages.words import words
from shared.model.configuration import Configuration
from shared.model.instants import parse_instant
from shared.model.severity import Severity

_WHOLE = {
    "nothing fired for calm": "已持续平静",
    "budget": "当天条数已用完",
    "acknowledged": "事件已被确认",
    "resolved": "事件已恢复",
    "superseded": "已有更新的信息",
    "told by another way": "已用另一方式通知",
    "too late": "已经过时",
    "not delivered": "没有送达",
    "refused by the operator": "运营商拒收",
    "the contact is not configured any more": "联系方式已删除",
    "the channel is not configured any more": "渠道已删除",
    "the contact's address is no phone number": "号码不对",
    "the contact's address is no mail address": "邮箱地址不对",
    "held up before it was sent": "发出前被耽搁",
    "the message could not be made": "文字没能生成",
    "the answer was cut off": "回音中断",
    "flapping from now on": "由此按反复处理",
    "and ended": "且已结束",
    "after a restart": "程序重启后",
}
_SILENCED = re.compile(r"silenced by (\S+) until (\S+): (.*)\Z", re.DOTALL)
_PARTS = (
    (re.compile(r"flapping: (\w+)\Z"), "反复中{kind}"),
    (re.compile(r"inhibited by (\S+)\Z"), "由“{rule}”引起"),
    (re.compile(r"no longer inhibited by (\S+)\Z"), "“{rule}”已结束，不再由它掩盖"),
    (re.compile(r"policy (\S+)\Z"), "策略 {same}"),
    (re.compile(r"step (\d+)\Z"), "第 {same} 级"),
    (re.compile(r"handed over by (\S+)\Z"), "{person} 转交"),
    (re.compile(r"access (\S+)\Z"), "令牌 {same}"),
    (re.compile(r"unknown twice: (.+)\Z"), "两次结果未知：{same}"),
    (re.compile(r"not reached: (.+)\Z"), "连不上：{same}"),
    (re.compile(r"HTTP (\d+) without acceptance\Z"), "网关没有接收（HTTP {same}）"),
    (re.compile(r"HTTP (\d+)\Z"), "网关拒绝（HTTP {same}）"),
    (re.compile(r"SMTP (\d+)\Z"), "邮件服务器拒绝（SMTP {same}）"),
)
_NOBODY = re.compile(r"nobody holds (\S+) for (\S+) or above\Z")


class Reasons:
    def __init__(self, configuration: Configuration) -> None:
        self._c = configuration
        self._english = configuration.site.language == "en"
        self._t: Mapping[str, str] = words(configuration.site.language)

    def text(self, reason: str, clock: Clockwork) -> str:
        """One reason of the timeline."""
        for said in ("更正：", "Correction: "):
            if reason.startswith(said):  # the kind of the entry says it already
                return reason.removeprefix(said)
        if (match := _SILENCED.match(reason)) is not None:
            person, until, why = match.groups()
            return self._t["reason_silenced"].format(
                person=self._person(person), until=self._time(until, clock), why=why
            )
        if self._english:
            return reason
        if (match := _NOBODY.match(reason)) is not None:
            role, code = match.groups()
            territory = self._c.territories.get(code)
            return f"{territory.name if territory else code}及上级无人担任 {role}"
        return "，".join(self._part(part) for part in reason.split(", "))

    def _part(self, part: str) -> str:
        if part in _WHOLE:
            return _WHOLE[part]
        for form, said in _PARTS:
            if (match := form.match(part)) is not None:
                same = match[1]
                return said.format(
                    same=_WHOLE.get(same, same), rule=self._rule(same), person=self._person(same),
                    kind=self._t.get(f"kind_{same}", same),
                )  # fmt: skip
        rule, _, severity = part.rpartition(" ")
        if severity in {each.value for each in Severity} and rule in self._c.rules:
            return f"{self._rule(rule)} {self._t[severity]}"
        return part

    def _rule(self, id_: str) -> str:
        known = self._c.rules.get(id_)
        return (known.title_zh if known else "") or id_

    def _person(self, id_: str) -> str:
        known = self._c.people.get(id_)
        return known.name if known else id_

    @staticmethod
    def _time(text: str, clock: Clockwork) -> str:
        try:
            moment = clock.of(parse_instant(text, clock.zone))
        except ValueError:
            return text
        return moment.short
