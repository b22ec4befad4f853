// The left panel: orders and vehicles to find, filter and step through. The list of vehicles says
// in words what the map shows in pictures.

import { h, icon, named, setText, spoken } from "../dom.ts";
import { ago, count, kmh, span, word } from "../format.ts";
import { CROSS, LOOK_ICONS, SEARCH } from "../icons.ts";
import { say } from "../language.ts";
import type { Selection } from "../link.ts";
import { step } from "../parts.ts";
import { hasEnded, isLate, isUnderWay } from "../protocol.ts";
import { AGES, MOTIONS, RULES, STAGES } from "../words.ts";
import { LongList } from "./long_list.ts";
import {
  type Filter,
  FILTERS,
  type Listing,
  type Look,
  type OrderRow,
  type VehicleRow,
} from "./rows.ts";

const ROW_HEIGHT = 62;

export type Tab = "orders" | "vehicles";

export interface Found {
  readonly listing: Listing;
  readonly vehicles: readonly VehicleRow[];
  readonly selected: Selection | null;
  /** Why nothing can be said yet; null: all is known. */
  readonly unknown: "loading" | "noData" | null;
  readonly now: number;
}

export class Finder {
  readonly element: HTMLElement;
  tab: Tab = "orders";
  filter: Filter = "all";
  readonly #input: HTMLInputElement;
  readonly #clear: HTMLButtonElement;
  readonly #tabs = new Map<Tab, HTMLButtonElement>();
  readonly #filters = new Map<Filter, { button: HTMLButtonElement; number: HTMLElement }>();
  readonly #filterBar = h("div", { class: "filters", role: "group" });
  readonly #empty = h("p", { class: "empty" });
  readonly #orderList: LongList<OrderRow>;
  readonly #vehicleList: LongList<VehicleRow>;
  #now = 0;
  #found: Found | null = null;

  constructor(
    select: (selection: Selection) => void,
    private readonly changed: () => void,
  ) {
    this.#orderList = new LongList(ROW_HEIGHT, (row) => this.#orderRow(row, select));
    this.#vehicleList = new LongList(ROW_HEIGHT, (row) => this.#vehicleRow(row, select));
    this.#input = named(
      h("input", { type: "search", autocomplete: "off", spellcheck: "false", input: changed }),
      {
        placeholder: "search",
        "aria-label": "search",
      },
    );
    this.#clear = named(
      h("button", { type: "button", class: "clear", click: () => this.#reset() }, icon(CROSS, 12)),
      {
        "aria-label": "clear",
      },
    );
    this.element = h(
      "section",
      { class: "panel finder", id: "finder" },
      h("div", { class: "tabs", role: "tablist" }, this.#tab("orders"), this.#tab("vehicles")),
      h(
        "div",
        { class: "search" },
        icon(SEARCH),
        this.#input,
        this.#clear,
        h("kbd", { "aria-hidden": "true" }, "/"),
      ),
      this.#filterBar,
      this.#empty,
      this.#orderList.element,
      this.#vehicleList.element,
      h(
        "p",
        { class: "keys", "aria-hidden": "true" },
        ...["/", "j", "k", "f", "esc"].map((key) => h("kbd", {}, key)),
        spoken("span", "keys"),
      ),
    );
    this.#filterBar.append(...FILTERS.map((filter) => this.#filterButton(filter)));
  }

  get search(): string {
    return this.#input.value;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Leaves the search. Whether there was anything to leave. */
  leave(): boolean {
    const inside = document.activeElement === this.#input;
    if (!inside && !this.search) return false;
    this.#input.blur();
    this.#reset();
    return true;
  }

  /** The entry after (or before) the selected one. */
  neighbour(by: 1 | -1): Selection | null {
    const ids = this.#ids();
    const at = ids.indexOf(this.#found?.selected?.id ?? "");
    const id = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
    return id === undefined ? null : { kind: this.tab === "orders" ? "order" : "vehicle", id };
  }

  reveal(): void {
    const at = this.#ids().indexOf(this.#found?.selected?.id ?? "");
    if (at >= 0) (this.tab === "orders" ? this.#orderList : this.#vehicleList).reveal(at);
  }

  show(found: Found): void {
    this.#found = found;
    this.#now = found.now;
    const { listing } = found;
    for (const [tab, button] of this.#tabs) {
      button.setAttribute("aria-selected", String(tab === this.tab));
      button.dataset["count"] = count(tab === "orders" ? listing.open : found.vehicles.length);
    }
    for (const [filter, { button, number }] of this.#filters) {
      button.setAttribute("aria-pressed", String(filter === this.filter && !this.search));
      setText(number, count(listing.counts[filter]));
    }
    this.#clear.hidden = !this.search;
    this.#filterBar.hidden = this.tab !== "orders";
    this.#orderList.element.hidden = this.tab !== "orders";
    this.#vehicleList.element.hidden = this.tab !== "vehicles";
    const [ids, id] = [this.#ids(), found.selected?.id];
    const at = id === undefined ? -1 : ids.indexOf(id);
    if (this.tab === "orders") this.#orderList.show(listing.rows, at);
    else this.#vehicleList.show(this.#vehicles(), at);
    setText(this.#empty, ids.length ? "" : this.#nothing(found));
    this.#empty.hidden = ids.length > 0;
  }

  #reset(): void {
    this.#input.value = "";
    this.changed();
  }

  #ids(): string[] {
    if (!this.#found) return [];
    return this.tab === "orders"
      ? this.#found.listing.rows.map(({ order }) => order.order_id)
      : this.#vehicles().map(({ row }) => row[0]);
  }

  /** Those with an alert or no signal first, then by name. */
  #vehicles(): VehicleRow[] {
    const wanted = this.search.trim().toLowerCase();
    const rank: Record<Look, number> = { alert: 0, silent: 1, moving: 2, standing: 2 };
    return (this.#found?.vehicles ?? [])
      .filter(({ row }) => !wanted || row[0].toLowerCase().includes(wanted))
      .sort((a, b) => rank[a.look] - rank[b.look] || (a.row[0] < b.row[0] ? -1 : 1));
  }

  #nothing(found: Found): string {
    if (found.unknown) return word(found.unknown);
    if (this.search) return word("noMatch", { what: this.search.trim() });
    if (this.tab === "vehicles") return word("noVehicles");
    return word(this.filter === "all" ? "noOrders" : "noneInFilter");
  }

  #tab(tab: Tab): HTMLButtonElement {
    const open = () => {
      this.tab = tab;
      this.changed();
    };
    const button = spoken("button", tab, { type: "button", role: "tab", click: open });
    this.#tabs.set(tab, button);
    return button;
  }

  #filterButton(filter: Filter): HTMLButtonElement {
    const choose = () => {
      this.filter = filter;
      this.#input.value = "";
      this.changed();
    };
    const number = h("b", {});
    const button = h(
      "button",
      { type: "button", class: "filter", "data-filter": filter, click: choose },
      spoken("span", filter),
      number,
    );
    this.#filters.set(filter, { button, number });
    return button;
  }

  #orderRow(
    { order, alert, needsAction }: OrderRow,
    select: (selection: Selection) => void,
  ): HTMLElement {
    const id = order.order_id;
    const late = isLate(order);
    const mood = alert ? "alert" : needsAction ? "late" : hasEnded(order) ? "ended" : "well";
    const seen = isUnderWay(order) && order.seen ? span(this.#now - order.seen.ts) : "";
    const why = late
      ? say(AGES[order.age])
      : alert
        ? say(RULES[alert.rule])
        : (order.vehicle_id ?? "");
    const filled = order.stage === "signed" ? 6 : step(order.stage) + 1;
    return h(
      "button",
      {
        type: "button",
        class: "row",
        "data-id": id,
        "data-mood": mood,
        "data-late": String(late),
        click: () => select({ kind: "order", id }),
      },
      h(
        "span",
        { class: "sign" },
        mood === "alert"
          ? icon(LOOK_ICONS.alert, 14)
          : mood === "late"
            ? icon(LOOK_ICONS.silent, 14)
            : null,
      ),
      h("span", { class: "id" }, id),
      h("span", { class: "age" }, seen),
      h(
        "span",
        { class: "second" },
        say(STAGES[order.stage]),
        why ? h("span", { class: late ? "why" : alert ? "look-alert" : "quiet" }, why) : null,
      ),
      h("span", { class: "ticks", "data-filled": filled, "aria-hidden": "true" }),
    );
  }

  #vehicleRow(
    { row, look, orders }: VehicleRow,
    select: (selection: Selection) => void,
  ): HTMLElement {
    const [id, ts, , , speed, , motion] = row;
    const pace = motion === "moving" && speed !== null ? word("speed", { n: kmh(speed) }) : "";
    const mood = look === "alert" ? "alert" : look === "silent" ? "late" : "well";
    const aboard = orders.length ? word("nAboard", { n: count(orders.length) }) : "";
    return h(
      "button",
      {
        type: "button",
        class: "row",
        "data-id": id,
        "data-mood": mood,
        click: () => select({ kind: "vehicle", id }),
      },
      h("span", { class: `sign look-${look}` }, icon(LOOK_ICONS[look], 14)),
      h("span", { class: "id" }, id),
      h("span", { class: "age" }, ago(this.#now - ts)),
      h(
        "span",
        { class: "second" },
        say(MOTIONS[motion]),
        h("span", { class: "quiet" }, [pace, aboard].filter(Boolean).join(" · ")),
      ),
      look === "alert" ? h("span", { class: "badge" }, word("hasAlert")) : null,
    );
  }
}
