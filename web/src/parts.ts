// Pieces both pages show: the steps of an order's way, its timeline, the state of the connection,
// the language switch, and what to do when the page can go no further.

import { h, icon, named, setText, spoken } from "./dom.ts";
import { moment, word } from "./format.ts";
import type { Health } from "./health.ts";
import { CHECK, CROSS } from "./icons.ts";
import { choose, current, say } from "./language.ts";
import type { OrderDetail } from "./protocol.ts";
import { type Entry, timeline } from "./timeline.ts";
import type { Role, Stage } from "./wire.ts";
import { CODES, type Halt, HALTS, STAGES, STEPS } from "./words.ts";

/** How far along 接单→…→签收, from 0; an early end stays where it ended. */
export function step(stage: Stage, order?: OrderDetail): number {
  const at = STEPS.findIndex((one) => one.stage === stage);
  if (at >= 0) return at;
  const codes = new Set(order?.milestones.map((one) => one.code));
  const reached = ["in_transit", "outbound", "vehicle_assigned", "order_reviewed"] as const;
  const found = reached.findIndex((code) => codes.has(code));
  return found < 0 ? 0 : 4 - found;
}

export function steps(stage: Stage, order?: OrderDetail): HTMLElement {
  const at = step(stage, order);
  const early = stage === "cancelled" || stage === "returned";
  const done = stage === "signed";
  return h(
    "ol",
    { class: `steps${early ? " early" : ""}` },
    ...STEPS.map(({ label }, n) => {
      const state = n < at || done ? "done" : n === at ? "now" : "next";
      const mark = early && n === at ? icon(CROSS, 10) : state === "done" ? icon(CHECK, 12) : null;
      const text = early && n === at ? say(STAGES[stage]) : say(label);
      return h(
        "li",
        { class: state, ...(state === "now" && { "aria-current": "step" }) },
        h("span", { class: "mark" }, mark),
        h("span", { class: "step-name" }, text),
      );
    }),
  );
}

export function timelineList(order: OrderDetail, now: number, evidence: boolean): HTMLElement {
  const entries = timeline(order.milestones);
  if (!entries.length) return h("p", { class: "quiet" }, word("noMilestones"));
  return h(
    "ol",
    { class: "timeline" },
    ...entries.map((entry) => timelineEntry(entry, now, evidence)),
  );
}

function timelineEntry(
  { milestone, superseded }: Entry,
  now: number,
  evidence: boolean,
): HTMLElement {
  const { code, occurred_at, source, classifier, stop_id, evidence: proof } = milestone;
  const kind = classifier === "PLN" ? "planned" : classifier === "EST" ? "estimated" : null;
  const failed = code === "attempt_failed" ? " failed" : "";
  const label = say(CODES[code]);
  return h(
    "li",
    { class: `${superseded ? "superseded" : ""}${failed}` },
    h("time", { datetime: new Date(occurred_at).toISOString() }, moment(occurred_at, now)),
    h(
      "div",
      { class: "what" },
      superseded ? h("s", {}, label) : h("span", {}, label),
      superseded ? h("span", { class: "tag" }, word("corrected")) : null,
      kind ? h("span", { class: "tag" }, word(kind)) : null,
      failed && proof ? h("span", { class: "proof" }, proof) : null,
      evidence
        ? h("span", { class: "proof" }, proofOf(source, stop_id, failed ? "" : (proof ?? "")))
        : null,
    ),
  );
}

function proofOf(source: string, stop: string | null | undefined, evidence: string): string {
  const by = word(source === "gps" ? "fromGps" : "fromEvent");
  return [by, stop, evidence].filter(Boolean).join(" · ");
}

/** The dot and words that say whether this page is live. Returns it with its renewal. */
export function pill(retry: () => void): { element: HTMLElement; show: (health: Health) => void } {
  const text = h("span", {});
  const again = spoken("button", "retryNow", { type: "button", class: "link", click: retry });
  const element = h(
    "div",
    { class: "pill", role: "status", hidden: true },
    h("span", { class: "dot" }),
    text,
    again,
  );
  const show = (health: Health) => {
    element.hidden = false;
    element.dataset["level"] = health.level;
    // The countdown must not be read out each second.
    element.setAttribute("aria-live", health.canRetry ? "off" : "polite");
    setText(text, health.text);
    again.hidden = !health.canRetry;
  };
  return { element, show };
}

export function languageSwitch(): HTMLElement {
  const button = spoken("button", "otherLanguage", {
    type: "button",
    class: "language",
    click: () => choose(current() === "zh" ? "en" : "zh"),
  });
  return named(button, { "aria-label": "switchLanguage", title: "switchLanguage" });
}

export function haltCard(halt: Halt, role: Role): HTMLElement {
  const { title, [role]: advice } = HALTS[halt];
  return h(
    "div",
    { class: "halt", role: "alert" },
    h("h1", {}, say(title)),
    h("p", {}, say(advice)),
  );
}
