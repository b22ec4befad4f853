"""What stages, milestones and ages are called in front of customers and dispatchers, in Chinese and
English."""

from __future__ import annotations

from typing import NamedTuple

from orders.model import Age, Code, Stage


class Label(NamedTuple):
    zh: str
    en: str


STAGES: dict[Stage, Label] = {
    Stage.RECEIVED: Label("已接单", "Received"),
    Stage.REVIEWED: Label("已审核", "Reviewed"),
    Stage.ASSIGNED: Label("已分配", "Assigned"),
    Stage.OUTBOUND: Label("已出库", "Outbound"),
    Stage.IN_TRANSIT: Label("运输中", "In transit"),
    Stage.SIGNED: Label("已签收", "Signed"),
    Stage.CANCELLED: Label("已取消", "Cancelled"),
    Stage.RETURNED: Label("已退回", "Returned"),
}

CODES: dict[Code, Label] = {
    Code.ORDER_ACCEPTED: Label("接单", "Order accepted"),
    Code.ORDER_REVIEWED: Label("审核通过", "Order reviewed"),
    Code.VEHICLE_ASSIGNED: Label("分配车辆", "Vehicle assigned"),
    Code.OUTBOUND: Label("出库", "Left the warehouse"),
    Code.ARRIVED_PICKUP: Label("到达提货点", "Arrived at pickup"),
    Code.DEPARTED_PICKUP: Label("离开提货点", "Departed from pickup"),
    Code.IN_TRANSIT: Label("开始运输", "In transit"),
    Code.ARRIVED_HUB: Label("到达中转", "Arrived at hub"),
    Code.DEPARTED_HUB: Label("离开中转", "Departed from hub"),
    Code.ARRIVED_DELIVERY: Label("到达收货点", "Arrived at delivery"),
    Code.DEPARTED_DELIVERY: Label("离开收货点", "Departed from delivery"),
    Code.DELIVERED: Label("签收", "Delivered"),
    Code.ATTEMPT_FAILED: Label("操作失败", "Attempt failed"),
    Code.CANCELLED: Label("取消", "Cancelled"),
    Code.RETURNED: Label("退回", "Returned"),
}
"""An error may strike at any stage, so `attempt_failed` is not called 签收失败, which is one of
delivery."""

AGES: dict[Age, Label] = {
    Age.FRESH: Label("实时", "Up to date"),
    Age.NOT_DUE: Label("尚未出库", "Not under way yet"),
    Age.NO_VEHICLE: Label("未分配车辆", "No vehicle assigned"),
    Age.DEVICE_SILENT: Label("设备无信号", "No signal from the vehicle"),
    Age.PARKED: Label("车辆停靠中", "Parked at a stop"),
    Age.FEED_LAG: Label("定位数据源延迟", "Position feed is behind"),
    Age.OUR_LAG: Label("系统处理延迟", "Our processing is behind"),
    Age.ENDED: Label("已结束", "Ended"),
}
