// What the pages say in their own name. What stages, codes and ages are called comes from the
// server's side (labels.json); sentences of alerts come with the alerts.

import type { Label } from "./language.ts";
import labels from "./labels.json";
import type { Age, Code, Motion, Rule, Stage, State, StopRole } from "./wire.ts";

export const STAGES: Record<Stage, Label> = labels.stage;
export const CODES: Record<Code, Label> = labels.code;
export const AGES: Record<Age, Label> = labels.age;

/** The steps of an order's way, as 接单→审核→分配→出库→运输→签收. */
export const STEPS: readonly { stage: Stage; label: Label }[] = [
  { stage: "received", label: { zh: "接单", en: "Received" } },
  { stage: "reviewed", label: { zh: "审核", en: "Reviewed" } },
  { stage: "assigned", label: { zh: "分配", en: "Assigned" } },
  { stage: "outbound", label: { zh: "出库", en: "Outbound" } },
  { stage: "in_transit", label: { zh: "运输", en: "In transit" } },
  { stage: "signed", label: { zh: "签收", en: "Signed" } },
];

export const MOTIONS: Record<Motion, Label> = {
  moving: { zh: "行驶中", en: "Moving" },
  standing: { zh: "静止", en: "Standing" },
  silent: { zh: "无信号", en: "No signal" },
};

export const ROLES: Record<StopRole, Label> = {
  pickup: { zh: "提货点", en: "Pickup" },
  hub: { zh: "中转", en: "Hub" },
  delivery: { zh: "收货点", en: "Delivery" },
  site: { zh: "场站", en: "Site" },
};

export const RULES: Record<Rule, Label> = {
  lead_time_exceeded: { zh: "时效", en: "Lead time" },
  freshness: { zh: "信息滞后", en: "Old news" },
  error_rate: { zh: "差错率", en: "Error rate" },
};

export const STATES: Record<State, Label> = {
  inactive: { zh: "正常", en: "Inactive" },
  pending: { zh: "待确认", en: "To be confirmed" },
  firing: { zh: "告警中", en: "Firing" },
  recovering: { zh: "恢复中", en: "Recovering" },
  resolved: { zh: "已解除", en: "Cleared" },
};

/** To a customer: why we show an old position, in plain words. */
export const REASONS: Record<Age, Label> = {
  fresh: { zh: "", en: "" },
  not_due: { zh: "包裹尚未出库。", en: "Your order has not left the warehouse yet." },
  no_vehicle: { zh: "正在为您安排车辆。", en: "A vehicle is being arranged for your order." },
  device_silent: {
    zh: "车辆暂时没有信号，可能在隧道或信号盲区。恢复后本页会自动更新。",
    en: "The vehicle has no signal just now; it may be in a tunnel or a dead spot. This page updates as soon as it is back.",
  },
  parked: {
    zh: "车辆正停靠在站点，停车时定位会暂停。",
    en: "The vehicle is parked at a stop; its locator rests while it stands.",
  },
  feed_lag: {
    zh: "定位服务商的数据有延迟，订单仍在正常处理。",
    en: "Our location provider is running late; your order itself is not affected.",
  },
  our_lag: {
    zh: "我们的系统正在追赶数据，稍后会自动更新。",
    en: "Our own system is catching up; this page updates by itself.",
  },
  ended: { zh: "", en: "" },
};

export const WORDS = {
  brand: { zh: "里程碑", en: "Milepost" },
  dispatch: { zh: "调度", en: "Dispatch" },
  tracking: { zh: "订单跟踪", en: "Order tracking" },
  skip: { zh: "跳到订单列表", en: "Skip to the order list" },
  otherLanguage: { zh: "English", en: "中文" },
  switchLanguage: { zh: "Switch to English", en: "切换为中文" },

  live: { zh: "实时", en: "Live" },
  connecting: { zh: "正在连接…", en: "Connecting…" },
  offline: { zh: "已断开", en: "Disconnected" },
  retryIn: { zh: "{s} 秒后重连", en: "retrying in {s} s" },
  retryNow: { zh: "立即重连", en: "Retry now" },
  loading: { zh: "正在载入…", en: "Loading…" },
  feedDown: { zh: "数据源中断", en: "Feed down" },
  feedDownMore: {
    zh: "服务器的数据源中断：以下内容可能已过时。",
    en: "The server itself hears of no changes just now: what you see may be old.",
  },
  offlineMore: {
    zh: "连接已断开：以下为断开前的最后状态。",
    en: "Disconnected: this is how things stood when the connection was lost.",
  },
  newest: { zh: "最新数据 {age}", en: "newest data {age}" },
  noData: { zh: "尚无数据", en: "no data yet" },
  nVehicles: { zh: "{n} 辆车", en: "{n} vehicles" },
  nOrders: { zh: "{n} 个订单", en: "{n} open orders" },
  linkEnds: { zh: "链接 {time} 到期", en: "link ends {time}" },

  orders: { zh: "订单", en: "Orders" },
  vehicles: { zh: "车辆", en: "Vehicles" },
  alerts: { zh: "告警", en: "Alerts" },
  map: { zh: "地图", en: "Map" },
  search: { zh: "搜索订单、车辆、站点", en: "Search order, vehicle, stop" },
  all: { zh: "全部", en: "All" },
  action: { zh: "需处理", en: "Needs action" },
  underWay: { zh: "运输途中", en: "Under way" },
  notDue: { zh: "未出库", en: "Not due" },
  ended: { zh: "刚结束", en: "Ended" },
  noOrders: { zh: "目前没有未完成的订单。", en: "There are no open orders." },
  noVehicles: { zh: "还没有车辆的消息。", en: "No vehicle has been heard of yet." },
  noMatch: { zh: "没有符合“{what}”的结果。", en: "Nothing matches “{what}”." },
  noneInFilter: { zh: "此类目前为空。", en: "Nothing of this kind now." },
  clear: { zh: "清除", en: "Clear" },
  keys: { zh: "搜索 · 下一个 · 跟随 · 关闭", en: "search · next · follow · close" },
  hasAlert: { zh: "有告警", en: "With an alert" },

  noAlerts: { zh: "一切正常，没有告警。", en: "All is well: no alerts." },
  firing: { zh: "告警中", en: "Firing" },
  watching: { zh: "观察中", en: "Being watched" },
  cleared: { zh: "已解除", en: "Cleared" },
  since: { zh: "自 {time} · {age}", en: "since {time} · {age}" },
  clearedAt: { zh: "{age}解除", en: "cleared {age}" },
  more: { zh: "还有 {n} 条", en: "and {n} more" },
  critical: { zh: "严重", en: "Critical" },

  close: { zh: "关闭", en: "Close" },
  follow: { zh: "跟随车辆", en: "Follow" },
  following: { zh: "跟随中", en: "Following" },
  vehicle: { zh: "车辆", en: "Vehicle" },
  noVehicle: { zh: "未分配", en: "none yet" },
  position: { zh: "位置", en: "Position" },
  seen: { zh: "{age}更新", en: "updated {age}" },
  neverSeen: { zh: "尚无位置", en: "no position yet" },
  speed: { zh: "{n} 公里/时", en: "{n} km/h" },
  eta: { zh: "预计到达", en: "Expected" },
  errors: { zh: "异常", en: "Errors" },
  nErrors: { zh: "{n} 次，最近：{what}", en: "{n}, last: {what}" },
  stops: { zh: "站点", en: "Stops" },
  timeline: { zh: "时间线", en: "Timeline" },
  stageSince: { zh: "自 {time}", en: "since {time}" },
  openFor: { zh: "接单 {age}", en: "received {age}" },
  fromGps: { zh: "定位判定", en: "proved by GPS" },
  fromEvent: { zh: "订单系统", en: "order system" },
  corrected: { zh: "已更正", en: "corrected" },
  planned: { zh: "计划", en: "planned" },
  estimated: { zh: "预计", en: "estimated" },
  noMilestones: { zh: "还没有记录。", en: "Nothing has happened yet." },
  unknownOrder: {
    zh: "还没有这个订单的消息。",
    en: "Nothing is known of this order yet.",
  },
  nAboard: { zh: "{n} 单", en: "orders: {n}" },
  ordersOf: { zh: "车上的订单", en: "Orders on board" },
  noOrdersOn: { zh: "目前没有订单。", en: "No orders at present." },
  fence: { zh: "围栏 {n} 米", en: "fence {n} m" },
  showAll: { zh: "显示全部车辆", en: "Show all vehicles" },
  zoomIn: { zh: "放大", en: "Zoom in" },
  zoomOut: { zh: "缩小", en: "Zoom out" },
  noMap: { zh: "无法显示地图", en: "The map cannot be shown" },
  noMapMore: {
    zh: "地图需要 WebGL 2，而此浏览器没有提供（可能关闭了硬件加速）。列表不受影响。",
    en: "It needs WebGL 2, which this browser does not offer (hardware acceleration may be off). The lists work without it.",
  },

  updated: { zh: "位置更新于 {age}", en: "Position updated {age}" },
  updatedStatus: { zh: "状态更新于 {age}", en: "Status updated {age}" },
  order: { zh: "订单", en: "Order" },
  destination: { zh: "目的地", en: "Destination" },
  delayed: { zh: "位置不是最新的", en: "This position is not current" },
  chooseOrder: { zh: "您的订单", en: "Your orders" },
  unknownYet: {
    zh: "我们还没有收到这个订单的消息。有进展时本页会自动更新。",
    en: "We have not heard of this order yet. This page updates by itself as soon as there is news.",
  },
} satisfies Record<string, Label>;

export type Word = keyof typeof WORDS;

/** Below the stage, what it means to who waits for the goods. */
export const MEANINGS: Record<Stage, Label> = {
  received: { zh: "我们已收到您的订单。", en: "We have your order." },
  reviewed: {
    zh: "订单已通过审核，正在安排车辆。",
    en: "Your order is checked; a vehicle comes next.",
  },
  assigned: { zh: "车辆已安排，等待出库。", en: "A vehicle is assigned and will load soon." },
  outbound: { zh: "货物已离开仓库。", en: "Your goods have left the warehouse." },
  in_transit: { zh: "货物正在送往目的地的路上。", en: "Your goods are on their way to you." },
  signed: { zh: "货物已签收，感谢您的信任。", en: "Delivered and signed for. Thank you." },
  cancelled: { zh: "此订单已取消。", en: "This order was cancelled." },
  returned: { zh: "货物已退回发货方。", en: "The goods went back to the sender." },
};

/** Why a page stands still, and what to do about it. */
export const HALTS = {
  missing: {
    title: { zh: "链接不完整", en: "This link is not complete" },
    dispatcher: {
      zh: "请打开完整的链接（含 # 之后的部分）。可用 milepost token 生成新链接。",
      en: "Open the whole link, with the part after the #. `milepost token` makes a new one.",
    },
    customer: {
      zh: "请从收到的消息中重新打开完整链接；若仍无法打开，请联系发货方。",
      en: "Open the whole link again from the message you were sent. If that does not help, ask your sender for a new one.",
    },
  },
  unauthorized: {
    title: { zh: "链接无效或已过期", en: "This link is wrong or has expired" },
    dispatcher: {
      zh: "服务器不接受此链接。请用 milepost token 生成新链接。",
      en: "The server does not accept it. `milepost token` makes a new one.",
    },
    customer: {
      zh: "为保护您的信息，跟踪链接只在一段时间内有效。请向发货方索取新链接。",
      en: "To protect your details a tracking link works for a limited time. Ask your sender for a new one.",
    },
  },
  expired: {
    title: { zh: "链接已过期", en: "This link has expired" },
    dispatcher: {
      zh: "请用 milepost token 生成新链接。以下为到期时的最后状态。",
      en: "`milepost token` makes a new one. What you see is how things stood when it ended.",
    },
    customer: {
      zh: "跟踪链接只在一段时间内有效。请向发货方索取新链接。",
      en: "A tracking link works for a limited time. Ask your sender for a new one.",
    },
  },
  outdated: {
    title: { zh: "页面版本过旧", en: "This page is out of date" },
    dispatcher: { zh: "请重新载入页面。", en: "Reload the page." },
    customer: { zh: "请重新载入页面。", en: "Reload the page." },
  },
  broken: {
    title: { zh: "出了点问题", en: "Something went wrong" },
    dispatcher: {
      zh: "服务器拒绝了本页的请求。请重新载入；若再次出现，请报告此问题。",
      en: "The server refused what this page asked. Reload it; if it happens again, please report it.",
    },
    customer: {
      zh: "请重新载入页面；若再次出现，请联系发货方。",
      en: "Reload the page. If it happens again, tell your sender.",
    },
  },
  forbidden: {
    title: { zh: "此链接不能查看该内容", en: "This link is not for this page" },
    dispatcher: {
      zh: "调度地图需要调度员链接。请用 milepost token 生成。",
      en: "The dispatch map needs a dispatcher's link. `milepost token` makes one.",
    },
    customer: {
      zh: "此链接不包含该订单。请向发货方索取新链接。",
      en: "It does not cover this order. Ask your sender for a new one.",
    },
  },
} satisfies Record<string, { title: Label; dispatcher: Label; customer: Label }>;

export type Halt = keyof typeof HALTS;
