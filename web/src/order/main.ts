// The customer's page: how far is my order, where is it, and how sure is that?

import "../styles/base.css";
import "../styles/order.css";
import { Connection } from "../connection.ts";
import { h, icon, setText, spoken } from "../dom.ts";
import { ago, word } from "../format.ts";
import { type Health, halt, health } from "../health.ts";
import { BRAND } from "../icons.ts";
import { current, onLanguage, say } from "../language.ts";
import { query, selected, token } from "../link.ts";
import { haltCard, languageSwitch, pill, steps, timelineList } from "../parts.ts";
import {
  type Frame,
  hasEnded,
  isLate,
  isUnderWay,
  type OrderDetail,
  type Welcome,
} from "../protocol.ts";
import { AGES, MEANINGS, REASONS, STAGES } from "../words.ts";
import { OrderModel } from "./model.ts";
import { OrderMap } from "./order_map.ts";

const TURN_MS = 1_000;
/** Older than this is old, whatever else we are told. */
const LIMIT_MS = 15 * 60_000;

class OrderPage {
  #model: OrderModel | null = null;
  #orders: readonly string[] = [];
  #map: OrderMap | null = null;
  readonly #connection: Connection | null;
  readonly #pill = pill(() => this.#connection?.retry());
  readonly #banner = h("p", { class: "banner", role: "alert", hidden: true });
  readonly #chooser = h("nav", { class: "chooser", hidden: true });
  readonly #headline = h("section", { class: "card headline" });
  readonly #mapCard = h("section", { class: "card map-card", hidden: true });
  readonly #mapPlace = h("div", { class: "map" });
  readonly #position = h("p", { class: "position" });
  readonly #reason = h("p", { class: "reason", hidden: true });
  readonly #timeline = h("section", { class: "card", hidden: true });
  readonly #page = h("main", { class: "order" });
  readonly #drawn = new Map<Element, string>();

  constructor() {
    this.#mapCard.append(
      h("div", { class: "frame" }, this.#mapPlace),
      this.#position,
      this.#reason,
    );
    const brand = h(
      "div",
      { class: "brand" },
      icon(BRAND, 20),
      spoken("strong", "brand"),
      spoken("span", "tracking"),
    );
    const top = h("header", { class: "top" }, brand, languageSwitch());
    this.#page.append(this.#chooser, this.#headline, this.#mapCard, this.#timeline);
    document.body.append(top, this.#banner, this.#page, h("footer", {}, this.#pill.element));
    const bearer = token(location.hash);
    this.#connection = bearer ? new Connection(bearer, (frame) => this.#take(frame)) : null;
    onLanguage(() => this.#turn());
    setInterval(() => this.#turn(), TURN_MS);
    this.#turn();
  }

  #take(frame: Frame): void {
    if (frame.op === "hello") this.#greeted(frame);
    this.#model?.take(frame);
    if (this.#model?.missed) {
      this.#model.missed = false;
      this.#connection?.resync(this.#model.topic);
    }
    this.#turn();
  }

  #greeted({ orders = [], role }: Welcome): void {
    const asked = selected(location.search)?.id;
    this.#orders = orders;
    // A dispatcher may look at any customer's page.
    const id = asked && (orders.includes(asked) || role === "dispatcher") ? asked : orders[0];
    if (id !== undefined && id !== this.#model?.id) this.#open(id);
  }

  #open(id: string): void {
    if (this.#model) this.#connection?.unsubscribe(this.#model.topic);
    this.#model = new OrderModel(id);
    this.#connection?.subscribe(this.#model.topic);
  }

  #turn(): void {
    const session = this.#connection?.session ?? null;
    const model = this.#model;
    const lacking = session?.status.is === "live" && !model;
    const why = halt(session, lacking || (model?.refused ?? false));
    const state = session && health(session, model?.synced ?? false, Date.now());
    if (state) this.#showHealth(state);
    if (why) this.#put(this.#headline, [haltCard(why, "customer")]);
    this.#page.dataset["halted"] = String(why !== null);
    if (why || !model) {
      if (!why) this.#put(this.#headline, [h("p", { class: "quiet" }, word("loading"))]);
      return;
    }
    this.#showChooser(model.id);
    const now = this.#connection!.now();
    if (model.order) this.#showOrder(model.order, state!, now);
    else
      this.#put(this.#headline, [
        number(model.id),
        h("p", { class: "quiet" }, word(model.synced ? "unknownYet" : "loading")),
      ]);
  }

  #showHealth(state: Health): void {
    this.#pill.show(state);
    setText(this.#banner, state.more);
    this.#banner.hidden = !state.more;
  }

  #showOrder(order: OrderDetail, state: Health, now: number): void {
    document.title = `${say(STAGES[order.stage])} · ${order.order_id}`;
    this.#put(this.#headline, [
      number(order.order_id),
      h("h1", {}, say(STAGES[order.stage])),
      h("p", { class: "meaning" }, say(MEANINGS[order.stage])),
      steps(order.stage, order),
    ]);
    this.#showPlace(order, state, now);
    this.#timeline.hidden = false;
    this.#put(this.#timeline, [h("h2", {}, word("timeline")), timelineList(order, now, false)]);
  }

  #showPlace(order: OrderDetail, state: Health, now: number): void {
    const place = this.#model!.place;
    const destination = order.stops.filter((stop) => stop.role === "delivery");
    this.#mapCard.hidden = hasEnded(order) || !(place || destination.length);
    if (this.#mapCard.hidden) return;
    const old = place !== null && now - place.ts > LIMIT_MS;
    const believable = !old && state.level === "live" && order.age !== "device_silent";
    this.#map ??= new OrderMap(this.#mapPlace);
    this.#map.show(destination, place, believable);
    const text = place
      ? word("updated", { age: ago(now - place.ts) })
      : isUnderWay(order)
        ? word("neverSeen")
        : say(AGES[order.age]);
    setText(this.#position, text);
    this.#position.dataset["believable"] = String(believable && place !== null);
    this.#showReason(order, old, place !== null);
  }

  /** Plain words for what is old; an age we were not told the reason of is still old. */
  #showReason(order: OrderDetail, old: boolean, seen: boolean): void {
    const told = isLate(order) || order.age === "not_due" ? say(REASONS[order.age]) : "";
    const unexplained = old && !told ? say(REASONS.feed_lag) : "";
    this.#reason.hidden = !(told || unexplained);
    const lead = old && seen ? `${word("delayed")}${current() === "zh" ? "：" : ": "}` : "";
    setText(this.#reason, lead + (told || unexplained));
    this.#reason.dataset["late"] = String(isLate(order) || old);
  }

  #showChooser(id: string): void {
    this.#chooser.hidden = this.#orders.length < 2;
    if (this.#chooser.hidden) return;
    const choice = (order: string) =>
      h(
        "button",
        {
          type: "button",
          class: "id",
          "aria-pressed": String(order === id),
          click: () => {
            this.#open(order);
            history.replaceState(
              null,
              "",
              location.pathname + query({ kind: "order", id: order }) + location.hash,
            );
            this.#turn();
          },
        },
        order,
      );
    this.#put(this.#chooser, [h("h2", {}, word("chooseOrder")), ...this.#orders.map(choice)]);
  }

  /** Puts content in place only where it differs, so nothing flickers and focus stays. */
  #put(place: Element, content: readonly HTMLElement[]): void {
    const next = h("div", {}, ...content);
    if (this.#drawn.get(place) === next.innerHTML) return;
    this.#drawn.set(place, next.innerHTML);
    place.replaceChildren(...next.childNodes);
  }
}

function number(id: string): HTMLElement {
  return h(
    "p",
    { class: "number" },
    h("span", { class: "quiet" }, word("order")),
    h("span", { class: "id" }, id),
  );
}

document.documentElement.lang = current() === "zh" ? "zh-CN" : "en";
addEventListener("hashchange", () => location.reload());
new OrderPage();
