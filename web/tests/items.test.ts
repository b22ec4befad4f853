import { expect, test } from "vitest";
import { Items } from "../src/items.ts";
import type { Delta, Snap } from "../src/protocol.ts";

interface Thing {
  readonly stage: string;
  readonly errors?: number;
}

const snap = (part: number, ...items: Snap["items"]): Snap => ({
  op: "snap",
  topic: "t",
  items,
  part,
});
const item = (rev: number, data: Thing, id = "o1") => ({ id, rev, data });
const whole = (rev: number, set: object, id = "o1"): Delta => ({
  op: "delta",
  topic: "t",
  id,
  rev,
  set: { ...set },
});
const change = (prev: number, rev: number, set: object): Delta => ({ ...whole(rev, set), prev });

function holding(rev: number, data: Thing): Items<Thing> {
  const items = new Items<Thing>();
  items.snap(snap(0, item(rev, data)));
  items.synced();
  return items;
}

test("a delta that names the revision held is merged into it", () => {
  const items = holding(7, { stage: "assigned", errors: 1 });
  expect(items.delta(change(7, 8, { stage: "outbound" }))).toBe("applied");
  expect(items.get("o1")).toEqual({ stage: "outbound", errors: 1 });
});

test("what is held already is told again without effect", () => {
  const items = holding(8, { stage: "outbound" });
  expect(items.delta(change(7, 8, { stage: "assigned" }))).toBe("known");
  expect(items.delta(whole(3, { stage: "received" }))).toBe("known");
  expect(items.get("o1")).toEqual({ stage: "outbound" });
});

test("a conflated delta spans revisions nobody else saw", () => {
  const items = holding(8, { stage: "outbound" });
  expect(items.delta(change(8, 30, { stage: "signed" }))).toBe("applied");
  expect(items.delta(change(30, 31, { errors: 2 }))).toBe("applied");
  expect(items.get("o1")).toEqual({ stage: "signed", errors: 2 });
});

test("a delta without prev is the whole item, known or new", () => {
  const items = holding(8, { stage: "outbound", errors: 1 });
  items.delta(whole(9, { stage: "signed" }));
  items.delta(whole(2, { stage: "received" }, "o2"));
  expect(items.get("o1")).toEqual({ stage: "signed" });
  expect(items.get("o2")).toEqual({ stage: "received" });
});

test("a delta to another revision is a gap, and what follows waits for the snapshot", () => {
  const items = holding(8, { stage: "outbound" });
  expect(items.delta(change(9, 10, { errors: 1 }))).toBe("gap");
  expect(items.delta(change(10, 11, { errors: 2 }))).toBe("known");
  items.snap(snap(0, item(11, { stage: "signed", errors: 2 })));
  items.synced();
  expect(items.delta(change(11, 12, { errors: 3 }))).toBe("applied");
  expect(items.get("o1")).toEqual({ stage: "signed", errors: 3 });
});

test("a delta with prev to an item not held is a gap", () => {
  expect(new Items<Thing>().delta(change(1, 2, { stage: "signed" }))).toBe("gap");
});

test("a snapshot in parts takes the place of what was held when it is complete", () => {
  const items = holding(8, { stage: "outbound" });
  items.snap(snap(0, item(1, { stage: "received" }, "o2")));
  items.snap(snap(1, item(1, { stage: "reviewed" }, "o3")));
  expect([...items.values()]).toEqual([{ stage: "outbound" }]);
  expect(items.synced()).toEqual([{ stage: "outbound" }]);
  expect([...items.values()]).toEqual([{ stage: "received" }, { stage: "reviewed" }]);
});

test("part 0 forgets a snapshot that was cut off", () => {
  const items = new Items<Thing>();
  items.snap(snap(0, item(1, { stage: "received" }, "old")));
  items.snap(snap(0, item(1, { stage: "reviewed" }, "new")));
  items.synced();
  expect(items.get("old")).toBeUndefined();
  expect(items.size).toBe(1);
});

test("an empty snapshot empties", () => {
  const items = holding(8, { stage: "outbound" });
  items.snap(snap(0));
  items.synced();
  expect(items.size).toBe(0);
});

test("alerts come whole, the newest counts", () => {
  const items = holding(8, { stage: "firing" });
  const said = (rev: number, stage: string) =>
    items.whole({ op: "alert", topic: "t", id: "o1", rev, data: { stage } });
  expect([said(9, "resolved"), said(8, "firing")]).toEqual(["applied", "known"]);
  expect(items.get("o1")).toEqual({ stage: "resolved" });
});
