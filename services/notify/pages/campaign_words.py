"""Words of the page of campaigns, zh-CN first and English second."""

ZH: dict[str, str] = {
    "campaigns": "专项行动",
    "campaigns_none": "没有与您的区域有关的专项行动。",
    "campaign_running": "进行中",
    "campaign_planned": "未开始",
    "campaign_ended": "已结束",
    "campaign_changes": "期间改变",
    "campaign_otherwise": "平时 {limits}",
    "campaign_only": "通知或条件另有规定",
    "campaign_for": "持续 {n}",
    "campaign_every": "每 {n}一报",
    "campaign_policies": "期间通知另有安排",
    "campaign_report": "结束报告：有无此行动的差别",
    "campaign_waits": "报告在结束一天后自动生成。",
}

EN: dict[str, str] = {
    "campaigns": "Campaigns",
    "campaigns_none": "No campaign reaches your territory.",
    "campaign_running": "running",
    "campaign_planned": "planned",
    "campaign_ended": "ended",
    "campaign_changes": "Meanwhile",
    "campaign_otherwise": "otherwise {limits}",
    "campaign_only": "told or judged otherwise",
    "campaign_for": "for {n}",
    "campaign_every": "a report every {n}",
    "campaign_policies": "Others are told meanwhile",
    "campaign_report": "Its report: with and without it",
    "campaign_waits": "The report comes by itself a day after the end.",
}
