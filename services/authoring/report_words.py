"""Words of the report, Chinese first: what an official reads of a trial of rules."""

from collections.abc import Mapping

_ZH = {
    "lang": "zh-CN",
    "title": "规则回测报告",
    "lead": "用历史数据推算：如果当时已启用这套规则，会有哪些预警、通知谁。没有发送任何消息。",
    "period": "数据时段", "reports": "上报", "skipped": "跳过",
    "episodes": "预警", "messages": "消息", "sms": "短信（手机）", "night": "夜间短信（22:00–07:00）",
    "withheld": "因额度未发", "most_a_day": "一人一天最多", "nobody": "无人在岗次数",
    "ack_never": "假设：始终无人确认，逐级通知到底。",
    "ack_after": "假设：每次预警在首条消息后{after}被确认。",
    "people": "谁会收到多少", "person": "姓名", "total": "合计", "at_night": "夜间",
    "mail": "邮件", "max_day": "单日最多", "by_day": "按天（短信）", "day_of": "{day}：{count} 条",
    "night_of": "（夜 {count}）", "no_messages": "没有人会收到消息。",
    "series": "数据与限值", "raise": "触发线", "clear": "解除线", "shade": "预警时段",
    "outside": "限值在图外：{limits}", "count_of": "{count} 次预警", "quiet_series": "没有预警的数据（{count}）",
    "more_charts": "另有 {count} 条数据没有画图。", "unruled": "另有 {count} 条数据没有规则，未画图。",
    "daily": "日报按当日结束（次日 00:00）到达计算；实际通知不会早于上报。",
    "no_readings": "没有有效读数", "band": "每列画出最低到最高值；断开处没有数据。",
    "list": "全部预警", "rule": "规则", "place": "设施", "from": "开始", "to": "结束", "lasted": "持续",
    "severity": "级别", "value": "数值", "limit": "限值", "basis": "依据", "told": "通知",
    "still": "未结束", "more_rows": "只列出最严重的 {count} 次，共 {all} 次。",
    "more_told": "另 {count} 条", "recovery": "恢复", "withheld_mark": "额度外未发",
    "not_told": "无人（同一事件已通知，或没有策略）", "no_episodes": "没有预警。",
    "verified": "已核对", "product default": "产品默认，非法定限值",
    "notes": "被跳过的数据行", "more_notes": "另有 {count} 行。",
    "red": "红色", "orange": "橙色", "yellow": "黄色", "blue": "蓝色",
    "realtime": "实时", "minute": "分钟", "hour": "小时", "day": "日",
    "d": "天", "h": "小时", "m": "分钟", "s": "秒",
    "valid_from": "{day} 起施行", "valid_to": "{day} 起废止",
    "missing": "缺数", "unknown": "数据无效",
}  # fmt: skip
_EN = {
    "lang": "en",
    "title": "Backtest of rules",
    "lead": "Computed from recorded data: which alerts these rules would have raised and who would have been told. Nothing was sent.",
    "period": "Period", "reports": "reports", "skipped": "skipped",
    "episodes": "Alerts", "messages": "Messages", "sms": "SMS (telephones)", "night": "SMS at night (22:00–07:00)",
    "withheld": "Withheld by budget", "most_a_day": "Most for one person in a day", "nobody": "Roles held by nobody",
    "ack_never": "Assumed: nobody ever acknowledges; every step is told.",
    "ack_after": "Assumed: each cause is acknowledged {after} after its first message.",
    "people": "Who would get how much", "person": "Person", "total": "Total", "at_night": "At night",
    "mail": "Mail", "max_day": "Most in a day", "by_day": "By day (SMS)", "day_of": "{day}: {count}",
    "night_of": " ({count} at night)", "no_messages": "Nobody would be told of anything.",
    "series": "Readings and limits", "raise": "raises", "clear": "clears", "shade": "alert",
    "outside": "Limits outside the picture: {limits}", "count_of": "{count} alerts", "quiet_series": "Series without an alert ({count})",
    "more_charts": "{count} more series are not drawn.", "unruled": "{count} more series have no rule and are not drawn.",
    "daily": "A daily report is taken to arrive at the end of its day (00:00); nobody is told before it comes.",
    "no_readings": "no valid reading", "band": "Each column shows lowest to highest; where the line breaks nothing was sent.",
    "list": "All alerts", "rule": "Rule", "place": "Facility", "from": "From", "to": "To", "lasted": "Lasted",
    "severity": "Severity", "value": "Value", "limit": "Limit", "basis": "Basis", "told": "Told",
    "still": "not ended", "more_rows": "Only the {count} most severe of {all} are listed.",
    "more_told": "{count} more", "recovery": "recovery", "withheld_mark": "withheld by budget",
    "not_told": "nobody (the incident was told already, or no policy)", "no_episodes": "No alert.",
    "verified": "verified", "product default": "product default, not a statutory limit",
    "notes": "Lines that were skipped", "more_notes": "{count} more lines.",
    "red": "red", "orange": "orange", "yellow": "yellow", "blue": "blue",
    "realtime": "real time", "minute": "minute", "hour": "hour", "day": "day",
    "d": " d", "h": " h", "m": " min", "s": " s",
    "valid_from": "in force from {day}", "valid_to": "no longer from {day}",
    "missing": "missing", "unknown": "no valid data",
}  # fmt: skip


def words(language: str) -> Mapping[str, str]:
    return _EN if language == "en" else _ZH


def duration(us: int, t: Mapping[str, str]) -> str:
    """The two greatest parts: `3 天 4 小时`, `25 分钟`."""
    parts = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, us = divmod(us, size * 1_000_000)
        if count:
            parts.append(f"{count}{t[name]}")
    return " ".join(parts[:2]) or f"0{t['s']}"
