// Made by `python -m ws_server.typescript` from the Python structs; do not edit.

export type Stage =
  | "received"
  | "reviewed"
  | "assigned"
  | "outbound"
  | "in_transit"
  | "signed"
  | "cancelled"
  | "returned";

export type Code =
  | "order_accepted"
  | "order_reviewed"
  | "vehicle_assigned"
  | "outbound"
  | "arrived_pickup"
  | "departed_pickup"
  | "in_transit"
  | "arrived_hub"
  | "departed_hub"
  | "arrived_delivery"
  | "departed_delivery"
  | "delivered"
  | "attempt_failed"
  | "cancelled"
  | "returned";

export type Classifier =
  | "PLN"
  | "EST"
  | "ACT";

export type Age =
  | "fresh"
  | "not_due"
  | "no_vehicle"
  | "device_silent"
  | "parked"
  | "feed_lag"
  | "our_lag"
  | "ended";

export type StopRole =
  | "pickup"
  | "hub"
  | "delivery"
  | "site";

export type Motion =
  | "moving"
  | "standing"
  | "silent";

export type Rule =
  | "lead_time_exceeded"
  | "freshness"
  | "error_rate";

export type State =
  | "inactive"
  | "pending"
  | "firing"
  | "recovering"
  | "resolved";

export type Severity =
  | "warning"
  | "critical";

export type Role =
  | "customer"
  | "dispatcher";

export type ErrCode =
  | "no_such_topic"
  | "forbidden"
  | "too_many_topics"
  | "bad_message";

export const CLOSE = {
  BAD_MESSAGE: 4000,
  UNAUTHORIZED: 4001,
  NO_SUCH_VERSION: 4004,
  TOO_MANY_ERRORS: 4006,
  OVER_CAPACITY: 4100,
  RATE_LIMITED: 4101,
  SLOW: 4108,
  GOING_AWAY: 4200,
  NO_PONG: 4201,
  TOKEN_EXPIRED: 4202,
} as const;

export interface Area {
  kind: "area";
  rings: ReadonlyArray<ReadonlyArray<readonly [number, number]>>;
}

export interface Line {
  kind: "line";
  parts: ReadonlyArray<ReadonlyArray<readonly [number, number]>>;
}

export interface Fence {
  lat: number;
  lon: number;
  enter_m: number;
  exit_m: number;
  shape: Area | Line | null;
}

export interface Stop {
  stop_id: string;
  role: StopRole;
  fence: Fence;
}

export interface LastSeen {
  ts: number;
  lat: number;
  lon: number;
}

export interface Milestone {
  sequence: number;
  code: Code;
  occurred_at: number;
  reported_at: number;
  source: string;
  classifier?: Classifier;
  confidence?: number;
  stop_id?: string | null;
  vehicle_id?: string | null;
  evidence?: string;
  supersedes?: number | null;
}

export interface OrderStatus {
  order_id: string;
  rev: number;
  stage: Stage;
  stage_at: number;
  received_at: number | null;
  reported_at: number;
  age: Age;
  vehicle_id: string | null;
  seen: LastSeen | null;
  milestones: ReadonlyArray<Milestone>;
  errors: number;
  last_error: string;
  eta: number | null;
  stops: ReadonlyArray<Stop>;
}

export interface Alert {
  alert_id: string;
  rev: number;
  rule: Rule;
  subject: string;
  state: State;
  severity: Severity;
  episode: number;
  seq: number;
  since: number;
  reported_at: number;
  value: number;
  threshold: number;
  reason?: string;
  sample?: number;
  errors?: number;
  orders?: ReadonlyArray<string>;
  flapping?: boolean;
  data_quality?: boolean;
}

export interface Hello {
  op: "hello";
  v: number;
  token?: string;
}

export interface Sub {
  op: "sub";
  topic: string;
  id?: number | null;
}

export interface Unsub {
  op: "unsub";
  topic: string;
}

export interface Pong {
  op: "pong";
}

export interface Welcome {
  op: "hello";
  v: number;
  now: number;
  ping_s: number;
  role: Role;
  expires_at: number;
  live: boolean;
  orders?: ReadonlyArray<string>;
}

export interface Item {
  id: string;
  rev: number;
  data: unknown;
}

export interface Snap {
  op: "snap";
  topic: string;
  items: ReadonlyArray<Item>;
  part: number;
}

export interface Synced {
  op: "synced";
  topic: string;
  now: number;
}

export interface Delta {
  op: "delta";
  topic: string;
  id: string;
  rev: number;
  set: Record<string, unknown>;
  prev?: number | null;
}

export interface Pos {
  op: "pos";
  topic: string;
  now: number;
  v: ReadonlyArray<unknown>;
}

export interface AlertSaid {
  op: "alert";
  topic: string;
  id: string;
  rev: number;
  data: unknown;
}

export interface Err {
  op: "err";
  code: ErrCode;
  msg: string;
  topic?: string;
  id?: number | null;
}

export interface Ping {
  op: "ping";
  now: number;
  live: boolean;
}
