// From what is known to what a dispatcher reads: which orders need attention, in which order, and
// what each vehicle looks like on the map. Pure.

import {
  hasEnded,
  isLate,
  isUnderWay,
  type OrderSummary,
  type Row,
  type ToldAlert,
} from "../protocol.ts";
import type { Motion } from "../wire.ts";

export type Filter = "all" | "action" | "underWay" | "notDue" | "ended";
export const FILTERS: readonly Filter[] = ["all", "action", "underWay", "notDue", "ended"];

export interface OrderRow {
  readonly order: OrderSummary;
  /** The alert that fires for it. */
  readonly alert: ToldAlert | undefined;
  readonly needsAction: boolean;
}

export interface Listing {
  readonly rows: readonly OrderRow[];
  readonly counts: Readonly<Record<Filter, number>>;
  readonly open: number;
}

/** A vehicle's look: how it moves, or that one of its orders has an alert. */
export type Look = Motion | "alert";

export interface VehicleRow {
  readonly row: Row;
  readonly look: Look;
  readonly orders: readonly OrderSummary[];
}

const SUBJECT = "order:";

export function firingByOrder(alerts: Iterable<ToldAlert>): Map<string, ToldAlert> {
  const firing = new Map<string, ToldAlert>();
  for (const alert of alerts) {
    const orderId = orderOf(alert);
    if (alert.state !== "firing" || orderId === null) continue;
    const other = firing.get(orderId);
    if (!other || severity(alert) > severity(other)) firing.set(orderId, alert);
  }
  return firing;
}

export function orderOf(alert: ToldAlert): string | null {
  return alert.subject.startsWith(SUBJECT) ? alert.subject.slice(SUBJECT.length) : null;
}

export function listing(
  orders: Iterable<OrderSummary>,
  firing: ReadonlyMap<string, ToldAlert>,
  filter: Filter,
  search: string,
): Listing {
  const counts = { all: 0, action: 0, underWay: 0, notDue: 0, ended: 0 };
  const rows: OrderRow[] = [];
  const wanted = search.trim().toLowerCase();
  for (const order of orders) {
    const row = orderRow(order, firing.get(order.order_id));
    const groups = groupsOf(row);
    for (const group of groups) counts[group] += 1;
    // Who searches for an order's number wants the order, in whatever state it is.
    const fits = wanted ? matches(order, wanted) : groups.includes(filter);
    if (fits) rows.push(row);
  }
  rows.sort(byAttention);
  return { rows, counts, open: counts.all };
}

function orderRow(order: OrderSummary, alert: ToldAlert | undefined): OrderRow {
  const open = !hasEnded(order);
  return {
    order,
    alert: open ? alert : undefined,
    needsAction: open && (!!alert || isLate(order)),
  };
}

function groupsOf({ order, needsAction }: OrderRow): Filter[] {
  if (hasEnded(order)) return ["ended"];
  const groups: Filter[] = ["all", isUnderWay(order) ? "underWay" : "notDue"];
  return needsAction ? [...groups, "action"] : groups;
}

function matches(order: OrderSummary, wanted: string): boolean {
  return [order.order_id, order.vehicle_id ?? "", ...order.stops.map((stop) => stop.stop_id)].some(
    (id) => id.toLowerCase().includes(wanted),
  );
}

/** Alerts first, the oldest before the others; then what is late; then by stage, newest news first. */
function byAttention(a: OrderRow, b: OrderRow): number {
  const rank = attention(a) - attention(b);
  if (rank) return rank;
  if (a.alert && b.alert) return a.alert.since - b.alert.since;
  if (a.needsAction) return (a.order.seen?.ts ?? 0) - (b.order.seen?.ts ?? 0);
  const news = b.order.stage_at - a.order.stage_at;
  return news || (a.order.order_id < b.order.order_id ? -1 : 1);
}

function attention({ order, alert, needsAction }: OrderRow): number {
  if (alert) return alert.severity === "critical" ? 0 : 1;
  if (needsAction) return order.age === "parked" ? 3 : 2;
  if (hasEnded(order)) return 7;
  return isUnderWay(order) ? 4 : order.stage === "assigned" ? 5 : 6;
}

export function vehicleRows(
  fleet: Iterable<Row>,
  orders: Iterable<OrderSummary>,
  firing: ReadonlyMap<string, ToldAlert>,
): VehicleRow[] {
  const aboard = new Map<string, OrderSummary[]>();
  for (const order of orders) {
    if (!order.vehicle_id || hasEnded(order)) continue;
    const list = aboard.get(order.vehicle_id);
    if (list) list.push(order);
    else aboard.set(order.vehicle_id, [order]);
  }
  const rows: VehicleRow[] = [];
  for (const row of fleet) {
    const its = aboard.get(row[0]) ?? [];
    const alerted = its.some((order) => isUnderWay(order) && firing.has(order.order_id));
    rows.push({ row, look: alerted ? "alert" : row[6], orders: its });
  }
  return rows;
}

export interface AlertGroups {
  readonly firing: readonly ToldAlert[];
  readonly watching: readonly ToldAlert[];
  readonly cleared: readonly ToldAlert[];
}

/** Firing first, critical ones and the newest before the others. */
export function alertGroups(alerts: Iterable<ToldAlert>): AlertGroups {
  const groups = {
    firing: [] as ToldAlert[],
    watching: [] as ToldAlert[],
    cleared: [] as ToldAlert[],
  };
  for (const alert of alerts) {
    if (alert.state === "firing") groups.firing.push(alert);
    else if (alert.state === "resolved") groups.cleared.push(alert);
    else if (alert.state !== "inactive") groups.watching.push(alert);
  }
  groups.firing.sort((a, b) => severity(b) - severity(a) || b.since - a.since);
  groups.watching.sort((a, b) => b.since - a.since);
  groups.cleared.sort((a, b) => b.reported_at - a.reported_at);
  return groups;
}

function severity(alert: ToldAlert): number {
  return alert.severity === "critical" ? 1 : 0;
}
