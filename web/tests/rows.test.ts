import { expect, test } from "vitest";
import {
  alertGroups,
  type Filter,
  firingByOrder,
  listing,
  vehicleRows,
} from "../src/dispatch/rows.ts";
import type { OrderSummary, ToldAlert } from "../src/protocol.ts";
import { alert, order, row } from "./builders.ts";

const FLEET: OrderSummary[] = [
  order({ order_id: "ended", stage: "signed", age: "ended" }),
  order({ order_id: "waiting", stage: "received", age: "not_due", vehicle_id: null }),
  order({ order_id: "well" }),
  order({ order_id: "parked", age: "parked" }),
  order({ order_id: "silent", age: "device_silent" }),
  order({ order_id: "late", stage: "assigned", age: "not_due" }),
];
const ALERTS: ToldAlert[] = [
  alert({ subject: "order:late", rule: "lead_time_exceeded", severity: "critical" }),
  alert({ subject: "stage:reviewed", rule: "error_rate" }),
  alert({ subject: "order:well", state: "resolved" }),
];
const FIRING = firingByOrder(ALERTS);
const found = (filter: Filter, search = "") => listing(FLEET, FIRING, filter, search);
const ids = (filter: Filter, search?: string) =>
  found(filter, search).rows.map(({ order }) => order.order_id);

test("what needs a person comes first", () => {
  expect(ids("all")).toEqual(["late", "silent", "parked", "well", "waiting"]);
});

test("each filter shows what it counts", () => {
  expect(found("all").counts).toEqual({ all: 5, action: 3, underWay: 3, notDue: 2, ended: 1 });
  expect(ids("action")).toEqual(["late", "silent", "parked"]);
  expect(ids("underWay")).toEqual(["silent", "parked", "well"]);
  expect(ids("notDue")).toEqual(["late", "waiting"]);
  expect(ids("ended")).toEqual(["ended"]);
});

test("a search looks through all orders, by order, vehicle and stop", () => {
  const fence = { lat: 31, lon: 121, enter_m: 150, exit_m: 250, shape: null };
  const orders = [
    ...FLEET,
    order({ order_id: "x", stops: [{ stop_id: "Dock-7", role: "delivery", fence }] }),
  ];
  const search = (text: string) =>
    listing(orders, FIRING, "action", text).rows.map(({ order }) => order.order_id);
  expect(search("END")).toEqual(["ended"]);
  expect(search("dock-7")).toEqual(["x"]);
  expect(search(" v1 ")).toHaveLength(6);
  expect(search("nothing such")).toEqual([]);
});

test("of two alerts for one order the graver counts", () => {
  const grave = alert({ severity: "critical" });
  expect(firingByOrder([alert(), grave, alert()]).get("o1")).toBe(grave);
});

test("a vehicle wears the alert of what it carries, not of what it is yet to load", () => {
  const orders = [
    order({ order_id: "late", stage: "assigned", vehicle_id: "v2" }),
    order({ vehicle_id: "v1" }),
  ];
  const firing = firingByOrder([alert({ subject: "order:late" }), alert({ subject: "order:o1" })]);
  const rows = vehicleRows(
    [row(), row({ id: "v2", motion: "standing" }), row({ id: "v3", motion: "silent" })],
    orders,
    firing,
  );
  expect(rows.map(({ look }) => look)).toEqual(["alert", "standing", "silent"]);
});

test("alerts are told by what is to be done about them", () => {
  const [old, grave, pending, cleared] = [
    alert({ since: 1 }),
    alert({ since: 0, severity: "critical" }),
    alert({ state: "pending" }),
    alert({ state: "resolved" }),
  ];
  const groups = alertGroups([cleared, old, pending, grave, alert({ state: "inactive" })]);
  expect(groups).toEqual({ firing: [grave, old], watching: [pending], cleared: [cleared] });
});
