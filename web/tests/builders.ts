// What tests speak of, with defaults for what they do not care about.

import type { OrderDetail, Row, ToldAlert } from "../src/protocol.ts";
import type { Milestone, Motion } from "../src/wire.ts";

export const HOUR = 3_600_000;

export function order(with_: Partial<OrderDetail> = {}): OrderDetail {
  return {
    order_id: "o1",
    stage: "in_transit",
    stage_at: 1_000,
    received_at: 500,
    reported_at: 1_000,
    age: "fresh",
    vehicle_id: "v1",
    seen: { ts: 1_000, lat: 31.2, lon: 121.4 },
    milestones: [],
    eta: null,
    stops: [],
    ...with_,
  };
}

export function alert(with_: Partial<ToldAlert> = {}): ToldAlert {
  return {
    alert_id: "f00d",
    rev: 1,
    rule: "freshness",
    subject: "order:o1",
    state: "firing",
    severity: "warning",
    episode: 1,
    seq: 1,
    since: 1_000,
    reported_at: 1_000,
    value: 16,
    threshold: 15,
    zh: "订单 o1 …",
    en: "Order o1 …",
    ...with_,
  };
}

export function milestone(with_: Partial<Milestone> = {}): Milestone {
  return {
    sequence: 1,
    code: "outbound",
    occurred_at: 1,
    reported_at: 2,
    source: "event",
    ...with_,
  };
}

export function row({ id = "v1", ts = 1_000, motion = "moving" as Motion } = {}): Row {
  return [id, ts, 31.2, 121.4, 10, 90, motion];
}
