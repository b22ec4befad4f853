// One page's conversation with the server across all its connections, as a machine without I/O:
// it is told what happened and when, and says what is to be done. `connection.ts` does it.
//
// States: connecting → greeting (open, hello sent) → live; any of them → waiting → connecting, or
// → stopped when coming back would not help. Subscriptions belong to the page, not to a connection:
// each new connection asks for all of them again.

import { type Frame, parse, VERSION, type Welcome } from "./protocol.ts";
import { GOOD_MS, type Stop, verdict } from "./reconnect.ts";

export type Status =
  | { readonly is: "connecting"; readonly since: number }
  | { readonly is: "greeting"; readonly since: number }
  | { readonly is: "live"; readonly since: number }
  | { readonly is: "waiting"; readonly until: number; readonly code: number }
  | { readonly is: "stopped"; readonly why: Stop };

export type Action =
  | { readonly do: "open" }
  | { readonly do: "drop" }
  | { readonly do: "send"; readonly text: string }
  | { readonly do: "take"; readonly frame: Frame };

const CONNECT_MS = 10_000;
const GRACE_MS = 10_000;
const LOST = 1006;

export class Session {
  status: Status;
  welcome: Welcome | null = null;
  /** Server's clock minus ours. */
  offsetMs = 0;
  /** Whether the server itself hears of changes. */
  feedLive = true;
  heardAt = 0;
  #attempt = 0;
  #topics = new Set<string>();
  readonly #random: () => number;

  constructor(now: number, random: () => number) {
    this.#random = random;
    this.status = { is: "connecting", since: now };
  }

  start(): Action[] {
    return [{ do: "open" }];
  }

  opened(now: number): Action[] {
    this.status = { is: "greeting", since: now };
    this.heardAt = now;
    return [say({ op: "hello", v: VERSION })];
  }

  heard(text: string, now: number): Action[] {
    this.heardAt = now;
    const frame = parse(text);
    if (!frame) return [];
    if ("now" in frame) this.offsetMs = frame.now - now;
    switch (frame.op) {
      case "hello":
        return this.#greeted(frame, now);
      case "ping":
        this.feedLive = frame.live;
        return [say({ op: "pong" }), { do: "take", frame }];
      default:
        return [{ do: "take", frame }];
    }
  }

  closed(code: number, now: number): Action[] {
    if (this.status.is === "waiting" || this.status.is === "stopped") return [];
    if (this.status.is === "live" && now - this.status.since >= GOOD_MS) this.#attempt = 0;
    const next = verdict(code, this.#attempt, this.#random());
    this.#attempt += 1;
    this.status =
      "stop" in next
        ? { is: "stopped", why: next.stop }
        : { is: "waiting", until: now + next.waitMs, code };
    return [];
  }

  /** To be called a few times a second, and when the page wakes. */
  tick(now: number): Action[] {
    switch (this.status.is) {
      case "waiting":
        return now >= this.status.until ? this.retry(now) : [];
      case "connecting":
      case "greeting":
        return now - this.status.since > CONNECT_MS ? this.#lost(now) : [];
      case "live":
        return now - this.heardAt > this.#silenceMs() ? this.#lost(now) : [];
      case "stopped":
        return [];
    }
  }

  /** Do not wait any longer. */
  retry(now: number): Action[] {
    if (this.status.is !== "waiting") return [];
    this.status = { is: "connecting", since: now };
    return [{ do: "open" }];
  }

  subscribe(topic: string): Action[] {
    this.#topics.add(topic);
    return this.status.is === "live" ? [say({ op: "sub", topic })] : [];
  }

  unsubscribe(topic: string): Action[] {
    const had = this.#topics.delete(topic);
    return had && this.status.is === "live" ? [say({ op: "unsub", topic })] : [];
  }

  /** Something was missed: the topic's snapshot again. */
  resync(topic: string): Action[] {
    return [...this.unsubscribe(topic), ...this.subscribe(topic)];
  }

  #greeted(frame: Welcome, now: number): Action[] {
    this.welcome = frame;
    this.feedLive = frame.live;
    this.status = { is: "live", since: now };
    const subscriptions = [...this.#topics].map((topic) => say({ op: "sub", topic }));
    return [{ do: "take", frame }, ...subscriptions];
  }

  #silenceMs(): number {
    return (this.welcome?.ping_s ?? 25) * 1000 + GRACE_MS;
  }

  #lost(now: number): Action[] {
    this.closed(LOST, now);
    return [{ do: "drop" }];
  }
}

function say(message: object): Action {
  return { do: "send", text: JSON.stringify(message) };
}
