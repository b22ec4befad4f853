// Can what is shown be believed just now? One answer for both pages: live, busy (coming), old
// (shown, but not renewed), or stopped for good.

import { count, word } from "./format.ts";
import type { Session } from "./session.ts";
import type { Halt } from "./words.ts";

export interface Health {
  readonly level: "live" | "busy" | "old" | "stopped";
  readonly text: string;
  /** A sentence for a banner. */
  readonly more: string;
  /** Waiting for the next try: people may ask for it now. */
  readonly canRetry: boolean;
}

export function health(session: Session, ready: boolean, now: number): Health {
  const { status } = session;
  switch (status.is) {
    case "stopped":
      return { level: "stopped", text: word("offline"), more: "", canRetry: false };
    case "waiting": {
      const left = Math.max(1, Math.ceil((status.until - now) / 1000));
      const text = `${word("offline")} · ${word("retryIn", { s: count(left) })}`;
      return { level: "old", text, more: word("offlineMore"), canRetry: true };
    }
    case "connecting":
    case "greeting":
      return {
        level: session.welcome ? "old" : "busy",
        text: word("connecting"),
        more: session.welcome ? word("offlineMore") : "",
        canRetry: false,
      };
    case "live":
      if (!session.feedLive)
        return {
          level: "old",
          text: word("feedDown"),
          more: word("feedDownMore"),
          canRetry: false,
        };
      return ready
        ? { level: "live", text: word("live"), more: "", canRetry: false }
        : { level: "busy", text: word("loading"), more: "", canRetry: false };
  }
}

/** What halts a page for good: a link that is no link, or a server that will not have it. */
export function halt(session: Session | null, refused: boolean): Halt | null {
  if (!session) return "missing";
  if (session.status.is === "stopped") return session.status.why;
  return refused ? "forbidden" : null;
}
