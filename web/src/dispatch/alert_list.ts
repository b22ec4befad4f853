// The right panel: what fires, what is being watched, and for a while what has cleared.

import { h, icon, setText, spoken } from "../dom.ts";
import { ago, count, moment, span, word } from "../format.ts";
import { CHECK, LOOK_ICONS } from "../icons.ts";
import { current, say } from "../language.ts";
import type { Selection } from "../link.ts";
import type { ToldAlert } from "../protocol.ts";
import { RULES, STATES } from "../words.ts";
import { alertGroups, orderOf } from "./rows.ts";

const MOST = 150;
type Unknown = "loading" | "noData" | null;
type Group = "firing" | "watching" | "cleared";

export class AlertList {
  readonly element: HTMLElement;
  readonly #number = h("b", { class: "number" });
  readonly #body = h("div", { class: "alerts", tabindex: -1 });
  #drawn = "";

  constructor(private readonly select: (selection: Selection) => void) {
    this.element = h(
      "section",
      { class: "panel alert-panel", id: "alerts" },
      h("header", {}, spoken("h2", "alerts"), this.#number),
      this.#body,
    );
  }

  /** Returns how many fire. */
  show(
    alerts: Iterable<ToldAlert>,
    selected: Selection | null,
    unknown: Unknown,
    now: number,
  ): number {
    const groups = alertGroups(alerts);
    setText(this.#number, count(groups.firing.length));
    this.#number.dataset["firing"] = String(groups.firing.length > 0);
    // Once a minute is enough for "for 3 min"; a list that is redrawn under the hand is not pressed.
    const key = JSON.stringify([groups, selected, unknown, current(), Math.floor(now / 30_000)]);
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.#draw(groups, selected, unknown, now);
    }
    return groups.firing.length;
  }

  #draw(
    groups: ReturnType<typeof alertGroups>,
    selected: Selection | null,
    unknown: Unknown,
    now: number,
  ): void {
    const { firing, watching, cleared } = groups;
    const parts: HTMLElement[] = [];
    if (!firing.length) {
      const calm = unknown === null;
      parts.push(
        h("p", { class: "empty calm" }, calm ? icon(CHECK) : null, word(unknown ?? "noAlerts")),
      );
    }
    parts.push(...this.#group("firing", firing, selected, now));
    parts.push(...this.#group("watching", watching, selected, now));
    parts.push(...this.#group("cleared", cleared, selected, now));
    this.#body.replaceChildren(...parts);
  }

  #group(
    group: Group,
    alerts: readonly ToldAlert[],
    selected: Selection | null,
    now: number,
  ): HTMLElement[] {
    if (!alerts.length) return [];
    const shown = alerts.slice(0, MOST).map((alert) => this.#item(alert, group, selected, now));
    const more = alerts.length - shown.length;
    return [
      h("h3", {}, word(group), h("span", { class: "number" }, count(alerts.length))),
      h("ul", { "data-group": group }, ...shown),
      ...(more > 0 ? [h("p", { class: "quiet more" }, word("more", { n: count(more) }))] : []),
    ];
  }

  #item(alert: ToldAlert, group: Group, selected: Selection | null, now: number): HTMLElement {
    const id = orderOf(alert);
    const tag = group === "watching" ? STATES[alert.state] : RULES[alert.rule];
    const inner = [
      h("span", { class: "sign" }, icon(group === "cleared" ? CHECK : LOOK_ICONS.alert, 14)),
      h("span", { class: "sentence" }, alert[current()]),
      h(
        "span",
        { class: "since" },
        h("span", { class: "tag" }, say(tag)),
        alert.severity === "critical" && group === "firing"
          ? h("span", { class: "tag strong" }, word("critical"))
          : null,
        group === "cleared"
          ? word("clearedAt", { age: ago(now - alert.reported_at) })
          : word("since", { time: moment(alert.since, now), age: span(now - alert.since) }),
      ),
    ];
    const props = { class: "alert", "data-severity": alert.severity, "data-id": alert.alert_id };
    if (id === null) return h("li", {}, h("div", props, ...inner));
    const click = () => this.select({ kind: "order", id });
    const chosen = selected?.kind === "order" && selected.id === id;
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", ...props, click, ...(chosen && { "aria-current": "true" }) },
        ...inner,
      ),
    );
  }
}
