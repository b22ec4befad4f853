import { expect, test, vi } from "vitest";
import { Session } from "../src/session.ts";

vi.stubGlobal("navigator", { languages: ["en"] });
const { halt, health } = await import("../src/health.ts");

const HELLO = {
  op: "hello",
  v: 1,
  now: 0,
  ping_s: 25,
  role: "customer",
  expires_at: 9e12,
  live: true,
};

function session(...said: object[]): Session {
  const made = new Session(0, () => 0.5);
  made.start();
  made.opened(0);
  for (const message of said) made.heard(JSON.stringify(message), 0);
  return made;
}

test("live is said only of a connection that is up, in step, and fed", () => {
  expect(health(session(HELLO), true, 0).level).toBe("live");
  expect(health(session(HELLO), false, 0).level).toBe("busy");
  expect(health(session(), true, 0).level).toBe("busy");
});

test("what is held is old while the server's own feed is down, however well the line is", () => {
  const deaf = session(HELLO, { op: "ping", now: 0, live: false });
  expect(health(deaf, true, 0)).toMatchObject({ level: "old", text: "Feed down" });
  deaf.heard(JSON.stringify({ op: "ping", now: 1, live: true }), 1);
  expect(health(deaf, true, 1).level).toBe("live");
});

test("what is held is old from the loss of the line until it is back", () => {
  const lost = session(HELLO);
  lost.closed(1006, 100);
  expect(health(lost, true, 100)).toMatchObject({ level: "old", canRetry: true });
  lost.retry(200);
  expect(health(lost, true, 200).level).toBe("old");
});

test("a page halts where it lacks a link, is refused, or is told to stop", () => {
  const stopped = session(HELLO);
  stopped.closed(4202, 5);
  expect([
    halt(null, false),
    halt(session(HELLO), true),
    halt(stopped, false),
    halt(session(HELLO), false),
  ]).toEqual(["missing", "forbidden", "expired", null]);
});
