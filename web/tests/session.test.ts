import { expect, test } from "vitest";
import { type Action, Session } from "../src/session.ts";

const HELLO = {
  op: "hello",
  v: 1,
  now: 1_000_000,
  ping_s: 25,
  role: "dispatcher",
  expires_at: 9e12,
  live: true,
};

const hears = (session: Session, message: object, now: number) =>
  session.heard(JSON.stringify(message), now);
const said = (actions: readonly Action[]) =>
  actions.flatMap((one) => (one.do === "send" ? [JSON.parse(one.text) as unknown] : []));

function live(now = 0): Session {
  const session = new Session(now, () => 0.5);
  session.start();
  session.opened(now);
  hears(session, HELLO, now);
  return session;
}

test("hello is said first, and subscriptions once it is answered", () => {
  const session = new Session(0, () => 0.5);
  expect(session.start()).toEqual([{ do: "open" }]);
  expect(session.subscribe("orders")).toEqual([]);
  expect(said(session.opened(5))).toEqual([{ op: "hello", v: 1 }]);
  expect(said(hears(session, HELLO, 10))).toEqual([{ op: "sub", topic: "orders" }]);
  expect(session.status).toEqual({ is: "live", since: 10 });
});

test("once live, a subscription is said at once, and ended once", () => {
  const session = live();
  expect(said(session.subscribe("order:o1"))).toEqual([{ op: "sub", topic: "order:o1" }]);
  expect(said(session.unsubscribe("order:o1"))).toEqual([{ op: "unsub", topic: "order:o1" }]);
  expect(session.unsubscribe("order:o1")).toEqual([]);
});

test("after a gap a topic is left and joined again", () => {
  const session = live();
  session.subscribe("orders");
  expect(said(session.resync("orders"))).toEqual([
    { op: "unsub", topic: "orders" },
    { op: "sub", topic: "orders" },
  ]);
});

test("a ping is answered, and says whether the server hears of changes", () => {
  const session = live();
  expect(said(hears(session, { op: "ping", now: 1, live: false }, 20))).toEqual([{ op: "pong" }]);
  expect(session.feedLive).toBe(false);
});

test("the server's clock is learned from each frame that tells it", () => {
  const session = live(400_000);
  expect(session.offsetMs).toBe(600_000);
  hears(session, { op: "pos", topic: "fleet", now: 1_000_500, v: [] }, 400_400);
  expect(session.offsetMs).toBe(600_100);
});

test("what a newer server says beyond this page is passed over", () => {
  expect(hears(live(), { op: "weather", rain: true }, 5)).toEqual([]);
});

test("a lost connection is opened again after its wait, and all topics asked for anew", () => {
  const session = live();
  session.subscribe("orders");
  session.closed(1006, 100);
  expect(session.status).toEqual({ is: "waiting", until: 350, code: 1006 });
  expect(session.tick(349)).toEqual([]);
  expect(session.tick(350)).toEqual([{ do: "open" }]);
  session.opened(360);
  expect(said(hears(session, HELLO, 370))).toEqual([{ op: "sub", topic: "orders" }]);
});

test("failures in a row wait longer, until a connection has been good for a minute", () => {
  const session = live();
  const waits: number[] = [];
  for (const now of [100, 20_000, 40_000]) {
    session.closed(1006, now);
    if (session.status.is === "waiting") waits.push(session.status.until - now);
    session.retry(now);
  }
  expect(waits).toEqual([250, 500, 1000]);
  session.opened(50_000);
  hears(session, HELLO, 50_000);
  session.closed(1006, 110_000);
  expect(session.status).toEqual({ is: "waiting", until: 110_250, code: 1006 });
});

test("nothing heard for longer than the server is ever silent means the connection is dead", () => {
  const session = live();
  expect(session.tick(35_000)).toEqual([]);
  expect(session.tick(35_001)).toEqual([{ do: "drop" }]);
  expect(session.status.is).toBe("waiting");
});

test("a connection that does not come about is given up", () => {
  const session = new Session(0, () => 0.5);
  session.start();
  expect(session.tick(10_000)).toEqual([]);
  expect(session.tick(10_001)).toEqual([{ do: "drop" }]);
});

test("a code that says stop stops for good", () => {
  const session = live();
  session.closed(4001, 5);
  expect(session.status).toEqual({ is: "stopped", why: "unauthorized" });
  expect([...session.tick(1e9), ...session.retry(1e9)]).toEqual([]);
});
