// What is always in view: whether this is live, how old the newest data is, and how much of it
// there is.

import { h, icon, setText, spoken } from "../dom.ts";
import { ago, count, moment, word } from "../format.ts";
import type { Health } from "../health.ts";
import { BRAND } from "../icons.ts";
import { languageSwitch, pill } from "../parts.ts";

const WARN_MS = 30 * 60_000;

export interface Numbers {
  readonly vehicles: number;
  readonly orders: number;
  readonly newestAt: number;
  readonly expiresAt: number;
  readonly now: number;
}

export class TopBar {
  readonly element: HTMLElement;
  readonly banner = h("p", { class: "banner", role: "alert", hidden: true });
  readonly #pill;
  readonly #newest = h("span", { class: "newest" });
  readonly #vehicles = h("span", { class: "figure" });
  readonly #orders = h("span", { class: "figure" });
  readonly #ends = h("span", { class: "figure ends", hidden: true });

  constructor(retry: () => void) {
    this.#pill = pill(retry);
    this.element = h(
      "header",
      { class: "top" },
      h(
        "div",
        { class: "brand" },
        icon(BRAND, 20),
        spoken("strong", "brand"),
        spoken("span", "dispatch"),
      ),
      h("div", { class: "numbers" }, this.#vehicles, this.#orders, this.#ends),
      h("div", { class: "state" }, this.#newest, this.#pill.element),
      languageSwitch(),
    );
  }

  show(health: Health, numbers: Numbers): void {
    const { vehicles, orders, newestAt, expiresAt, now } = numbers;
    this.#pill.show(health);
    setText(this.#newest, newestAt ? word("newest", { age: ago(now - newestAt) }) : word("noData"));
    setText(this.#vehicles, word("nVehicles", { n: count(vehicles) }));
    setText(this.#orders, word("nOrders", { n: count(orders) }));
    const left = expiresAt - now;
    this.#ends.hidden = !expiresAt || left > WARN_MS;
    if (!this.#ends.hidden) setText(this.#ends, word("linkEnds", { time: moment(expiresAt, now) }));
    setText(this.banner, health.more);
    this.banner.hidden = !health.more;
  }
}
