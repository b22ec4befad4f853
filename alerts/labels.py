"""Every alert as a sentence, in Chinese and English. Data and one function; a test demands that
nothing is missing.
"""

from __future__ import annotations

from enum import StrEnum

from alerts.model import Alert, Ended, Rule, State, Window
from orders.model import Age, Stage


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


def sentence(alert: Alert, language: Language) -> str:
    """What a person is told. Ids are the sender's: whoever shows it, escapes."""
    said = SENTENCES[alert.rule, alert.state, language].format(
        subject=_subject(alert.subject, language),
        value=_number(alert.rule, alert.value),
        threshold=_number(alert.rule, alert.threshold),
        why=REASONS.get((alert.reason, language), alert.reason),
        errors=alert.errors,
        sample=alert.sample,
    )
    notes = ((alert.flapping, FLAPPING), (alert.data_quality, DATA_QUALITY))
    return said + "".join(note[language] for true, note in notes if true)


def _subject(scope: str, language: Language) -> str:
    kind, _, name = scope.partition(":")
    return STAGES.get((name, language), name) if kind == "stage" else name


def _number(rule: Rule, value: float) -> str:
    """Whole minutes, hours to a tenth, shares in percent."""
    match rule:
        case Rule.LEAD_TIME:
            return f"{value:.1f}".removesuffix(".0")
        case Rule.FRESHNESS:
            return f"{value:.0f}"
        case Rule.ERROR_RATE:
            return f"{value * 100:.1f}".removesuffix(".0") + " %"


_EN, _ZH = Language.EN, Language.ZH

SENTENCES: dict[tuple[Rule, State, Language], str] = {
    (Rule.LEAD_TIME, State.INACTIVE, _EN): "Order {subject}: lead time in order.",
    (Rule.LEAD_TIME, State.INACTIVE, _ZH): "订单 {subject}：时效正常。",
    (Rule.LEAD_TIME, State.PENDING, _EN): (
        "Order {subject} may be open for longer than {threshold} h; to be confirmed."
    ),
    (
        Rule.LEAD_TIME,
        State.PENDING,
        _ZH,
    ): "订单 {subject} 可能超过 {threshold} 小时未签收，待确认。",
    (Rule.LEAD_TIME, State.FIRING, _EN): (
        "Order {subject} is not signed {value} h after it was received (limit {threshold} h)."
    ),
    (Rule.LEAD_TIME, State.FIRING, _ZH): (
        "订单 {subject} 接单 {value} 小时后仍未签收（时限 {threshold} 小时）。"
    ),
    (Rule.LEAD_TIME, State.RECOVERING, _EN): (
        "Order {subject}, open for {value} h: the alert is about to end."
    ),
    (Rule.LEAD_TIME, State.RECOVERING, _ZH): "订单 {subject} 历时 {value} 小时，告警即将解除。",
    (Rule.LEAD_TIME, State.RESOLVED, _EN): (
        "Order {subject}, open for {value} h: alert ended, {why}."
    ),
    (Rule.LEAD_TIME, State.RESOLVED, _ZH): "订单 {subject} 历时 {value} 小时，告警解除：{why}。",
    (Rule.FRESHNESS, State.INACTIVE, _EN): "Order {subject}: information up to date.",
    (Rule.FRESHNESS, State.INACTIVE, _ZH): "订单 {subject}：信息及时。",
    (Rule.FRESHNESS, State.PENDING, _EN): (
        "Order {subject} may be without news for {value} min: {why}; to be confirmed."
    ),
    (Rule.FRESHNESS, State.PENDING, _ZH): (
        "订单 {subject} 可能已 {value} 分钟没有新信息：{why}，待确认。"
    ),
    (Rule.FRESHNESS, State.FIRING, _EN): (
        "Order {subject} has been without news for {value} min (limit {threshold} min): {why}."
    ),
    (Rule.FRESHNESS, State.FIRING, _ZH): (
        "订单 {subject} 已 {value} 分钟没有新信息（时限 {threshold} 分钟）：{why}。"
    ),
    (Rule.FRESHNESS, State.RECOVERING, _EN): (
        "Order {subject} is heard of again; the alert ends if it stays so."
    ),
    (Rule.FRESHNESS, State.RECOVERING, _ZH): "订单 {subject} 已有新信息，持续正常后解除告警。",
    (Rule.FRESHNESS, State.RESOLVED, _EN): "Order {subject}: alert about old news ended, {why}.",
    (Rule.FRESHNESS, State.RESOLVED, _ZH): "订单 {subject} 信息超时告警解除：{why}。",
    (Rule.ERROR_RATE, State.INACTIVE, _EN): "Stage {subject}: error rate in order.",
    (Rule.ERROR_RATE, State.INACTIVE, _ZH): "{subject}环节：差错率正常。",
    (Rule.ERROR_RATE, State.PENDING, _EN): (
        "Stage {subject}: {errors} of {sample} attempts went wrong ({value}); being watched."
    ),
    (Rule.ERROR_RATE, State.PENDING, _ZH): (
        "{subject}环节：{sample} 次处理中 {errors} 次出错（{value}），观察中。"
    ),
    (Rule.ERROR_RATE, State.FIRING, _EN): (
        "Stage {subject}: {errors} of {sample} attempts went wrong {why} "
        "({value}, limit {threshold}). Please review."
    ),
    (Rule.ERROR_RATE, State.FIRING, _ZH): (
        "{subject}环节：{why}内 {sample} 次处理中 {errors} 次出错"
        "（{value}，上限 {threshold}），请复核。"
    ),
    (Rule.ERROR_RATE, State.RECOVERING, _EN): (
        "Stage {subject}: error rate down to {value}; the alert ends if it stays so."
    ),
    (Rule.ERROR_RATE, State.RECOVERING, _ZH): (
        "{subject}环节：差错率降至 {value}，持续正常后解除告警。"
    ),
    (Rule.ERROR_RATE, State.RESOLVED, _EN): "Stage {subject}: error rate alert ended, {why}.",
    (Rule.ERROR_RATE, State.RESOLVED, _ZH): "{subject}环节差错率告警解除：{why}。",
}

REASONS: dict[tuple[str, Language], str] = {
    (Age.FRESH, _EN): "news is recent",
    (Age.FRESH, _ZH): "信息及时",
    (Age.NOT_DUE, _EN): "none is due yet",
    (Age.NOT_DUE, _ZH): "尚未到需要定位的环节",
    (Age.NO_VEHICLE, _EN): "no vehicle is assigned",
    (Age.NO_VEHICLE, _ZH): "未分配车辆",
    (Age.DEVICE_SILENT, _EN): "the vehicle's device is silent",
    (Age.DEVICE_SILENT, _ZH): "车载设备无信号",
    (Age.PARKED, _EN): "the vehicle is parked",
    (Age.PARKED, _ZH): "车辆停驶",
    (Age.FEED_LAG, _EN): "the position feed is behind",
    (Age.FEED_LAG, _ZH): "定位数据源延迟",
    (Age.OUR_LAG, _EN): "our own processing is behind",
    (Age.OUR_LAG, _ZH): "平台处理延迟",
    (Age.ENDED, _EN): "the order has ended",
    (Age.ENDED, _ZH): "订单已结束",
    (Ended.CLEARED, _EN): "all is well again",
    (Ended.CLEARED, _ZH): "已恢复正常",
    (Ended.DELIVERED, _EN): "the order was signed for",
    (Ended.DELIVERED, _ZH): "订单已签收",
    (Ended.DELIVERED_LATE, _EN): "signed for late",
    (Ended.DELIVERED_LATE, _ZH): "已超时签收",
    (Ended.CANCELLED, _EN): "the order was cancelled",
    (Ended.CANCELLED, _ZH): "订单已取消",
    (Ended.RETURNED, _EN): "the order was returned",
    (Ended.RETURNED, _ZH): "订单已退回",
    (Ended.RETRACTED, _EN): "it had been in time, as we learned late",
    (Ended.RETRACTED, _ZH): "补报数据表明并未超时",
    (Ended.NO_TRAFFIC, _EN): "no attempt for 24 h",
    (Ended.NO_TRAFFIC, _ZH): "24 小时内无业务",
    (Window.HOUR, _EN): "in the last hour",
    (Window.HOUR, _ZH): "最近 1 小时",
    (Window.DAY, _EN): "in the last 24 h",
    (Window.DAY, _ZH): "最近 24 小时",
}

STAGES: dict[tuple[str, Language], str] = {
    (Stage.RECEIVED, _EN): "order intake",
    (Stage.RECEIVED, _ZH): "接单",
    (Stage.REVIEWED, _EN): "review",
    (Stage.REVIEWED, _ZH): "审核",
    (Stage.ASSIGNED, _EN): "assignment",
    (Stage.ASSIGNED, _ZH): "分配",
    (Stage.OUTBOUND, _EN): "outbound",
    (Stage.OUTBOUND, _ZH): "出库",
    (Stage.IN_TRANSIT, _EN): "transport",
    (Stage.IN_TRANSIT, _ZH): "运输",
    (Stage.SIGNED, _EN): "signing",
    (Stage.SIGNED, _ZH): "签收",
    (Stage.CANCELLED, _EN): "cancellation",
    (Stage.CANCELLED, _ZH): "取消",
    (Stage.RETURNED, _EN): "return",
    (Stage.RETURNED, _ZH): "退回",
}

FLAPPING = {
    _EN: " It comes and goes; told again after an hour without change.",
    _ZH: "（状态反复波动，稳定 1 小时后再通知）",
}
DATA_QUALITY = {
    _EN: " The source is silent or late: this is the last known state.",
    _ZH: "（数据源无更新或延迟，此为最后已知状态）",
}
