// What a closed connection means: come back, and when; or stop, and why. The range of the close
// code decides, so that a new code needs no new page.

import { CLOSE } from "./wire.ts";

export type Stop = "unauthorized" | "expired" | "outdated" | "broken";

export type Verdict = { readonly stop: Stop } | { readonly waitMs: number };

const FIRST_MS = 500;
const CAP_MS = 30_000;
const SOON_MS = 1_000;
/** A connection up for so long was a good one: the next failure is the first again. */
export const GOOD_MS = 60_000;

/** `attempt` counts failures in a row from 0; `random` is in [0, 1). */
export function verdict(code: number, attempt: number, random: number): Verdict {
  if (code === CLOSE.TOKEN_EXPIRED) return { stop: "expired" };
  if (code >= 4000 && code < 4100) return { stop: reason(code) };
  if (code >= 4100 && code < 4200) return { waitMs: SOON_MS + random * ceiling(attempt) };
  if (code >= 4200 && code < 4300 && attempt === 0) return { waitMs: random * SOON_MS };
  return { waitMs: random * ceiling(attempt) };
}

function ceiling(attempt: number): number {
  return Math.min(CAP_MS, FIRST_MS * 2 ** attempt);
}

function reason(code: number): Stop {
  if (code === CLOSE.UNAUTHORIZED) return "unauthorized";
  return code === CLOSE.NO_SUCH_VERSION ? "outdated" : "broken";
}
