// Numbers and times as people read them.

import { current, say } from "./language.ts";
import { type Word, WORDS } from "./words.ts";

const S = 1000;
const MIN = 60 * S;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

export function word(key: Word, values: Record<string, string | number> = {}): string {
  return say(WORDS[key]).replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ""));
}

export function count(n: number): string {
  return n.toLocaleString(locale());
}

/** How long: "12 s", "3 min", "2 h 5 min", "3 d 4 h". Never negative: clocks differ. */
export function span(ms: number): string {
  const [zh, whole] = [current() === "zh", Math.max(0, ms)];
  const part = (unit: number, cap = Infinity) => Math.floor(whole / unit) % cap;
  if (whole < MIN) return zh ? `${part(S)} 秒` : `${part(S)} s`;
  if (whole < HOUR) return zh ? `${part(MIN)} 分钟` : `${part(MIN)} min`;
  if (whole < DAY) return pair(part(HOUR), zh ? "小时" : "h", part(MIN, 60), zh ? "分" : "min");
  return pair(part(DAY), zh ? "天" : "d", part(HOUR, 24), zh ? "小时" : "h");
}

/** How long ago: "3 min ago", "3 分钟前"; below two seconds "just now". */
export function ago(ms: number): string {
  const zh = current() === "zh";
  if (ms < 2 * S) return zh ? "刚刚" : "just now";
  return zh ? `${span(ms)}前` : `${span(ms)} ago`;
}

/** The time of day, with the date where it is not today's. */
export function moment(ts: number, now: number): string {
  const date = new Date(ts);
  const today = new Date(now).toDateString() === date.toDateString();
  return date.toLocaleString(locale(), {
    ...(today ? {} : { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

export function kmh(mps: number): number {
  return Math.round(mps * 3.6);
}

function pair(a: number, unitA: string, b: number, unitB: string): string {
  return b ? `${a} ${unitA} ${b} ${unitB}` : `${a} ${unitA}`;
}

function locale(): string {
  return current() === "zh" ? "zh-CN" : "en-GB";
}
