import { expect, test } from "vitest";
import { Model } from "../src/dispatch/model.ts";
import { alert, HOUR, order, row } from "./builders.ts";

function holding(): Model {
  const model = new Model();
  const items = [order({ order_id: "a" }), order({ order_id: "b" })];
  model.take({
    op: "snap",
    topic: "orders",
    part: 0,
    items: items.map((data) => ({ id: data.order_id, rev: 1, data })),
  });
  model.take({ op: "synced", topic: "orders", now: 1 });
  return model;
}

const ids = (model: Model) => [...model.orders()].map((one) => one.order_id).sort();
const ended = { ...order({ order_id: "a", stage: "signed", reported_at: HOUR }) };

test("an order that ended stays a while, also when a new snapshot has it no more", () => {
  const model = holding();
  model.take({ op: "delta", topic: "orders", id: "a", rev: 2, set: ended });
  model.take({ op: "snap", topic: "orders", part: 0, items: [] });
  model.take({ op: "synced", topic: "orders", now: 2 });
  expect(ids(model)).toEqual(["a"]);
  model.prune(HOUR + 31 * 60_000);
  expect(ids(model)).toEqual([]);
});

test("an alert that cleared stays for ten minutes, and then goes", () => {
  const model = new Model();
  const told = alert({ state: "resolved", reported_at: HOUR });
  model.take({ op: "alert", topic: "alerts", id: told.alert_id, rev: 3, data: told });
  model.prune(HOUR + 9 * 60_000);
  expect([...model.alerts()]).toEqual([told]);
  model.prune(HOUR + 11 * 60_000);
  expect([...model.alerts()]).toEqual([]);
});

test("of a vehicle's positions the newest counts, whatever comes last", () => {
  const model = new Model();
  const [newer, older] = [row({ ts: 20, motion: "silent" }), row({ ts: 10 })];
  model.take({ op: "pos", topic: "fleet", now: 21, v: [newer] });
  model.take({ op: "pos", topic: "fleet", now: 22, v: [older] });
  expect([...model.fleet.values()]).toEqual([newer]);
  expect(model.newestAt).toBe(20);
});

test("a device whose clock is ahead does not make all data look fresh", () => {
  const model = new Model();
  model.take({ op: "pos", topic: "fleet", now: 30, v: [row({ ts: 9_000 })] });
  expect(model.newestAt).toBe(30);
});

test("looking at another order leaves the one before", () => {
  const model = holding();
  expect(model.look("a")).toEqual([null, "order:a"]);
  expect(model.look("a")).toEqual([null, null]);
  expect(model.look("b")).toEqual(["order:a", "order:b"]);
  expect(model.look(null)).toEqual(["order:b", null]);
});

test("frames of an order no longer looked at are not taken", () => {
  const model = holding();
  model.look("a");
  model.look("b");
  model.take({ op: "delta", topic: "order:a", id: "a", rev: 9, set: ended });
  expect(model.detail).toBeUndefined();
});

test("a gap asks for the topic again", () => {
  const model = holding();
  model.look("a");
  model.take({ op: "delta", topic: "order:a", id: "a", rev: 9, prev: 8, set: {} });
  expect([...model.missed]).toEqual(["order:a"]);
});
