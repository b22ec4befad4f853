// `gps.v1` as the pages use it: the frames of wire.ts, with what the server passes on unread typed.

import type {
  Alert,
  AlertSaid,
  Delta,
  Err,
  Item,
  Milestone,
  Motion,
  OrderStatus,
  Ping,
  Pos,
  Snap,
  Synced,
  Welcome,
} from "./wire.ts";

export const VERSION = 1;
export const SUBPROTOCOL = "gps.v1";
export const BEARER = "gps.bearer.";

/** One row of a `pos` frame. */
export type Row = readonly [
  vehicle: string,
  ts: number,
  lat: number,
  lon: number,
  speed_mps: number | null,
  heading_deg: number | null,
  motion: Motion,
];

/** In `orders`; `rev` stands beside it, and what a customer is not told of is absent. */
export type OrderSummary = Omit<OrderStatus, "rev" | "milestones" | "errors" | "last_error"> &
  Partial<Pick<OrderStatus, "errors" | "last_error">>;

export type OrderDetail = OrderSummary & { readonly milestones: readonly Milestone[] };

export type ToldAlert = Alert & { readonly zh: string; readonly en: string };

export type Frame = Welcome | Snap | Synced | Delta | Pos | AlertSaid | Err | Ping;

export type { Alert, AlertSaid, Delta, Err, Item, Ping, Pos, Snap, Synced, Welcome };

const OPS = new Set(["hello", "snap", "synced", "delta", "pos", "alert", "err", "ping"]);

/** A frame, or null for what this page does not know: a newer server may say more. */
export function parse(text: string): Frame | null {
  const said: unknown = JSON.parse(text);
  const known = typeof said === "object" && said !== null && OPS.has((said as Frame).op);
  return known ? (said as Frame) : null;
}

export function isLate(status: { age: OrderSummary["age"] }): boolean {
  return !["fresh", "not_due", "ended"].includes(status.age);
}

const UNDER_WAY = new Set<string>(["outbound", "in_transit"]);
const ENDED = new Set<string>(["signed", "cancelled", "returned"]);

export function isUnderWay(status: { stage: string }): boolean {
  return UNDER_WAY.has(status.stage);
}

export function hasEnded(status: { stage: string }): boolean {
  return ENDED.has(status.stage);
}
