import { expect, test } from "vitest";
import { OrderModel } from "../src/order/model.ts";
import { order, row } from "./builders.ts";

function holding(with_: Parameters<typeof order>[0] = {}): OrderModel {
  const model = new OrderModel("o1");
  model.take({
    op: "snap",
    topic: "order:o1",
    part: 0,
    items: [{ id: "o1", rev: 1, data: order(with_) }],
  });
  model.take({ op: "synced", topic: "order:o1", now: 1 });
  return model;
}

const pos = (model: OrderModel, ...v: unknown[]) =>
  model.take({ op: "pos", topic: "order:o1", now: 1, v });

test("an order nobody has spoken of yet is synced and unknown", () => {
  const model = new OrderModel("o1");
  model.take({ op: "snap", topic: "order:o1", part: 0, items: [] });
  model.take({ op: "synced", topic: "order:o1", now: 1 });
  expect([model.synced, model.order]).toEqual([true, undefined]);
});

test("the newest of status and positions is where the vehicle is", () => {
  const model = holding();
  expect(model.place?.ts).toBe(1_000);
  pos(model, row({ ts: 5_000 }));
  expect(model.place).toEqual({
    vehicle: "v1",
    ts: 5_000,
    lat: 31.2,
    lon: 121.4,
    heading: 90,
    moving: true,
  });
});

test("a position of the vehicle before is not the order's", () => {
  const model = holding();
  pos(model, row({ id: "other", ts: 5_000 }));
  expect(model.place?.ts).toBe(1_000);
});

test("once it has ended, the vehicle is no longer the customer's to see", () => {
  const model = holding();
  pos(model, row({ ts: 5_000 }));
  model.take({
    op: "delta",
    topic: "order:o1",
    id: "o1",
    rev: 2,
    prev: 1,
    set: { stage: "signed", vehicle_id: null, seen: null },
  });
  expect(model.place).toBeNull();
});

test("a gap is missed, a refusal is kept, another order's frames are not ours", () => {
  const model = holding();
  model.take({ op: "delta", topic: "order:o1", id: "o1", rev: 9, prev: 8, set: {} });
  model.take({ op: "delta", topic: "order:o2", id: "o2", rev: 1, set: {} });
  expect([model.missed, model.refused]).toEqual([true, false]);
  model.take({ op: "err", code: "forbidden", msg: "", topic: "order:o1" });
  expect(model.refused).toBe(true);
});
