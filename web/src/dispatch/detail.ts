// The card of what is selected: an order with its way, age, stops and timeline, or a vehicle with
// the orders on board.

import { become, h, icon, named, spoken } from "../dom.ts";
import { ago, count, kmh, moment, word } from "../format.ts";
import { CROSS, LOOK_ICONS, ROLE_ICONS, TARGET } from "../icons.ts";
import { say } from "../language.ts";
import type { Selection } from "../link.ts";
import { steps, timelineList } from "../parts.ts";
import { isLate, isUnderWay, type OrderDetail, type OrderSummary, type Row } from "../protocol.ts";
import { AGES, MOTIONS, ROLES, STAGES } from "../words.ts";
import type { VehicleRow } from "./rows.ts";

export interface Detailed {
  readonly selected: Selection;
  /** What the list knows of the order, before its milestones are here. */
  readonly summary: OrderSummary | undefined;
  readonly order: OrderDetail | undefined;
  readonly synced: boolean;
  readonly vehicle: VehicleRow | undefined;
  readonly following: boolean;
  readonly now: number;
}

export class Detail {
  readonly element = h("section", { class: "panel detail", id: "detail", hidden: true });
  readonly #title = h("h2", {});
  readonly #follow: HTMLButtonElement;
  readonly #body = h("div", { class: "detail-body", tabindex: 0 });

  constructor(close: () => void, follow: () => void, select: (selection: Selection) => void) {
    this.#follow = h(
      "button",
      { type: "button", class: "follow", click: follow },
      icon(TARGET, 14),
      spoken("span", "follow"),
      h("kbd", { "aria-hidden": "true" }, "f"),
    );
    const closing = named(
      h("button", { type: "button", class: "close", click: close }, icon(CROSS, 12)),
      { "aria-label": "close" },
    );
    this.element.append(h("header", {}, this.#title, this.#follow, closing), this.#body);
    // One listener for all links: they are redrawn each second, and may come to name another id.
    this.#body.addEventListener("click", ({ target }) => {
      const { kind, id } = (target as HTMLElement).dataset;
      if (id && (kind === "order" || kind === "vehicle")) select({ kind, id });
    });
  }

  show(detailed: Detailed | null): void {
    this.element.hidden = detailed === null;
    if (!detailed) return;
    this.#title.textContent = detailed.selected.id;
    this.#follow.disabled = !detailed.vehicle;
    this.#follow.setAttribute("aria-pressed", String(detailed.following));
    const content =
      detailed.selected.kind === "order" ? this.#order(detailed) : this.#vehicle(detailed);
    const next = this.#body.cloneNode() as HTMLElement;
    next.append(...content.filter((part) => part !== null));
    become(this.#body, next);
  }

  #order({ order, summary, synced, vehicle, now }: Detailed): (HTMLElement | null)[] {
    const known = order ?? summary;
    if (!known) return [h("p", { class: "empty" }, word(synced ? "unknownOrder" : "loading"))];
    const received = known.received_at;
    return [
      h(
        "div",
        { class: "stage", "data-late": String(isLate(known)) },
        h("strong", {}, say(STAGES[known.stage])),
        h("span", { class: "quiet" }, word("stageSince", { time: moment(known.stage_at, now) })),
        received !== null
          ? h("span", { class: "quiet" }, word("openFor", { age: ago(now - received) }))
          : null,
      ),
      steps(known.stage, order),
      facts(known, vehicle, now),
      known.stops.length ? h("h3", {}, word("stops")) : null,
      known.stops.length ? stopList(known) : null,
      h("h3", {}, word("timeline")),
      order ? timelineList(order, now, true) : h("p", { class: "quiet" }, word("loading")),
    ];
  }

  #vehicle({ vehicle, now }: Detailed): (HTMLElement | null)[] {
    if (!vehicle) return [h("p", { class: "empty" }, word("neverSeen"))];
    const { row, look, orders } = vehicle;
    return [
      h(
        "div",
        { class: "stage" },
        h("span", { class: `sign look-${look}` }, icon(LOOK_ICONS[look], 18)),
        h("strong", {}, motion(row)),
      ),
      h("dl", { class: "facts" }, ...fact("position", word("seen", { age: ago(now - row[1]) }))),
      h("h3", {}, word("ordersOf"), h("span", { class: "number" }, count(orders.length))),
      orders.length
        ? h("ul", { class: "aboard" }, ...orders.map((order) => aboardItem(order)))
        : h("p", { class: "quiet" }, word("noOrdersOn")),
    ];
  }
}

function facts(order: OrderSummary, vehicle: VehicleRow | undefined, now: number): HTMLElement {
  const late = isLate(order);
  const seen = vehicle ? vehicle.row[1] : order.seen?.ts;
  const position = seen ? word("seen", { age: ago(now - seen) }) : word("neverSeen");
  const why =
    order.age === "fresh" || order.age === "ended"
      ? null
      : h("span", { class: late ? "why" : "quiet" }, say(AGES[order.age]));
  return h(
    "dl",
    { class: "facts" },
    ...fact(
      "vehicle",
      order.vehicle_id ? vehicleLink(order.vehicle_id, vehicle) : word("noVehicle"),
    ),
    ...fact("position", h("span", {}, isUnderWay(order) || seen ? position : "", why)),
    ...(order.eta ? fact("eta", moment(order.eta, now)) : []),
    ...(order.errors
      ? fact(
          "errors",
          h(
            "span",
            { class: "why" },
            word("nErrors", { n: count(order.errors), what: order.last_error ?? "" }),
          ),
        )
      : []),
  );
}

function vehicleLink(id: string, vehicle: VehicleRow | undefined): HTMLElement {
  return h(
    "span",
    {},
    link("vehicle", id),
    vehicle ? h("span", { class: "quiet" }, motion(vehicle.row)) : null,
  );
}

function aboardItem(order: OrderSummary): HTMLElement {
  const id = order.order_id;
  return h(
    "li",
    {},
    link("order", id),
    h("span", { class: "quiet" }, say(STAGES[order.stage])),
    isLate(order) ? h("span", { class: "why" }, say(AGES[order.age])) : null,
  );
}

function link(kind: Selection["kind"], id: string): HTMLElement {
  return h("button", { type: "button", class: "link", "data-kind": kind, "data-id": id }, id);
}

function motion([, , , , speed, , moves]: Row): string {
  const pace = moves === "moving" && speed !== null ? ` · ${word("speed", { n: kmh(speed) })}` : "";
  return say(MOTIONS[moves]) + pace;
}

function fact(
  name: "vehicle" | "position" | "eta" | "errors",
  value: HTMLElement | string,
): HTMLElement[] {
  return [h("dt", {}, word(name)), h("dd", {}, value)];
}

function stopList(order: OrderSummary): HTMLElement {
  return h(
    "ol",
    { class: "stops" },
    ...order.stops.map(({ stop_id, role, fence }) =>
      h(
        "li",
        {},
        icon(ROLE_ICONS[role], 15),
        h("span", {}, say(ROLES[role])),
        h("span", { class: "id" }, stop_id),
        h("span", { class: "quiet" }, word("fence", { n: Math.round(fence.enter_m) })),
      ),
    ),
  );
}
