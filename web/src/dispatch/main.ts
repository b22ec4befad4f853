// The dispatch map: builds the page and turns it, once a second and at each touch.

import "../styles/base.css";
import "../styles/dispatch.css";
import { Connection } from "../connection.ts";
import { h, spoken } from "../dom.ts";
import { halt, health } from "../health.ts";
import { current, onLanguage } from "../language.ts";
import { query, selected, type Selection, token } from "../link.ts";
import { haltCard } from "../parts.ts";
import { AlertList } from "./alert_list.ts";
import { Detail } from "./detail.ts";
import { Finder } from "./finder.ts";
import { FleetMap } from "./fleet_map.ts";
import { onKeys } from "./keys.ts";
import { Legend } from "./legend.ts";
import { Model } from "./model.ts";
import { firingByOrder, listing, type VehicleRow, vehicleRows } from "./rows.ts";
import { TopBar } from "./top_bar.ts";

const TOPICS = ["orders", "alerts", "fleet"] as const;
const TURN_MS = 1_000;
const PANES = ["map", "orders", "alerts"] as const;
type Pane = (typeof PANES)[number];

class Dispatch {
  readonly #model = new Model();
  readonly #connection: Connection | null;
  readonly #bar = new TopBar(() => this.#connection?.retry());
  readonly #finder = new Finder(
    (selection) => this.#select(selection),
    () => this.#turn(),
  );
  readonly #alerts = new AlertList((selection) => this.#select(selection));
  readonly #detail = new Detail(
    () => this.#select(null),
    () => this.#follow(),
    (selection) => this.#select(selection),
  );
  readonly #legend = new Legend();
  readonly #halts = h("div", { class: "halts", hidden: true });
  readonly #page = h("main", { class: "dispatch" });
  readonly #map: FleetMap;
  #selected = selected(location.search);
  #vehicles = new Map<string, VehicleRow>();
  #visited = true;

  constructor() {
    const place = h("div", { class: "map" });
    const middle = h(
      "div",
      { class: "middle", id: "map" },
      place,
      this.#legend.element,
      this.#halts,
    );
    const right = h("div", { class: "right" }, this.#detail.element, this.#alerts.element);
    this.#page.append(this.#finder.element, middle, right);
    const skip = spoken("a", "skip", {
      class: "skip",
      href: "#finder",
      click: (event: Event) => {
        // The fragment is the token's: it must not change.
        event.preventDefault();
        this.#finder.focus();
      },
    });
    document.body.append(
      skip,
      this.#bar.element,
      this.#bar.banner,
      this.#page,
      this.#paneButtons(),
    );
    this.#map = new FleetMap(
      place,
      (selection) => this.#select(selection),
      () => this.#turn(),
    );
    this.#connection = this.#connect();
    this.#look();
    this.#visited = this.#selected === null;
    onLanguage(() => this.#turn());
    onKeys({
      search: () => this.#finder.focus(),
      step: (by) => this.#step(by),
      follow: () => this.#follow(),
      leave: () => this.#leave(),
    });
    setInterval(() => this.#turn(), TURN_MS);
    this.#show(this.#selected ? "detail" : "map");
  }

  #connect(): Connection | null {
    const bearer = token(location.hash);
    if (!bearer) return null;
    const connection = new Connection(bearer, (frame) => {
      this.#model.take(frame);
      for (const topic of this.#model.missed) connection.resync(topic);
      this.#model.missed.clear();
      // A snapshot is worth a look at once; the rest waits for the next turn.
      if (frame.op === "synced" || this.#model.changed.has("detail")) this.#turn();
    });
    for (const topic of TOPICS) connection.subscribe(topic);
    return connection;
  }

  #select(selection: Selection | null): void {
    this.#selected = selection;
    history.replaceState(null, "", location.pathname + query(selection) + location.hash);
    this.#map.following = false;
    this.#look();
    this.#visited = selection === null;
    this.#show(selection ? "detail" : "map");
    this.#finder.reveal();
  }

  #look(): void {
    const id = this.#selected?.kind === "order" ? this.#selected.id : null;
    const [leave, join] = this.#model.look(id);
    if (leave) this.#connection?.unsubscribe(leave);
    if (join) this.#connection?.subscribe(join);
  }

  #step(by: 1 | -1): void {
    const next = this.#finder.neighbour(by);
    if (next) this.#select(next);
  }

  #follow(): void {
    if (!this.#chosenVehicle()) return;
    this.#map.follow(!this.#map.following);
    this.#turn();
  }

  #leave(): void {
    if (!this.#finder.leave()) this.#select(null);
  }

  #chosenVehicle(): VehicleRow | undefined {
    const selection = this.#selected;
    if (!selection) return undefined;
    if (selection.kind === "vehicle") return this.#vehicles.get(selection.id);
    const order = this.#model.detail ?? this.#model.order(selection.id);
    return order?.vehicle_id ? this.#vehicles.get(order.vehicle_id) : undefined;
  }

  #turn(): void {
    const now = this.#connection?.now() ?? Date.now();
    this.#showHalt();
    this.#model.prune(now);
    const orders = [...this.#model.orders()];
    const firing = firingByOrder(this.#model.alerts());
    const rows = vehicleRows(this.#model.fleet.values(), orders, firing);
    this.#vehicles = new Map(rows.map((row) => [row.row[0], row]));
    const found = listing(orders, firing, this.#finder.filter, this.#finder.search);
    // "None" is said only of what is known: not before the first answer, nor where none will come.
    const unknown = (topic: string) =>
      this.#model.synced.has(topic)
        ? null
        : this.#page.dataset["halted"] === "true"
          ? "noData"
          : "loading";
    const unknownOrders = unknown(this.#finder.tab === "orders" ? "orders" : "fleet");
    this.#finder.show({
      listing: found,
      vehicles: rows,
      selected: this.#selected,
      unknown: unknownOrders,
      now,
    });
    this.#alerts.show(this.#model.alerts(), this.#selected, unknown("alerts"), now);
    this.#legend.show(rows);
    this.#showDetail(now);
    const { changed } = this.#model;
    if (changed.size) this.#map.fleet(rows, changed.has("orders") ? orders : null);
    changed.clear();
    this.#showState(found.open, now);
  }

  #showDetail(now: number): void {
    const [selection, vehicle] = [this.#selected, this.#chosenVehicle()];
    if (!selection) {
      this.#detail.show(null);
      return this.#map.choose(null);
    }
    const [summary, order] = [this.#model.order(selection.id), this.#model.detail];
    const synced = this.#model.detailIsSynced;
    const following = this.#map.following;
    this.#detail.show({ selected: selection, summary, order, synced, vehicle, following, now });
    const stops = selection.kind === "order" ? ((order ?? summary)?.stops ?? []) : [];
    const trail = vehicle ? this.#model.trails.of(vehicle.row[0]) : [];
    this.#map.choose({ stops, row: vehicle?.row, look: vehicle?.look, trail });
    // Stops may be known before the vehicle is: both are to be in view.
    const known = vehicle !== undefined || (synced && this.#model.synced.has("fleet"));
    if (this.#visited || !known) return;
    this.#visited = true;
    this.#map.visit();
  }

  #showState(orders: number, now: number): void {
    const session = this.#connection?.session ?? null;
    const ready = TOPICS.every((topic) => this.#model.synced.has(topic));
    if (session) {
      const expiresAt = session.welcome?.expires_at ?? 0;
      const [vehicles, newestAt] = [this.#model.fleet.size, this.#model.newestAt];
      this.#bar.show(health(session, ready, Date.now()), {
        vehicles,
        orders,
        newestAt,
        expiresAt,
        now,
      });
    }
  }

  #showHalt(): void {
    const session = this.#connection?.session ?? null;
    const refused =
      session?.welcome?.role === "customer" || TOPICS.includes(this.#model.refused as never);
    const why = halt(session, refused);
    this.#page.dataset["halted"] = String(why !== null);
    this.#halts.hidden = why === null;
    if (why) this.#halts.replaceChildren(haltCard(why, "dispatcher"));
  }

  /** On a phone one pane shows at a time. */
  #paneButtons(): HTMLElement {
    const button = (pane: Pane) =>
      spoken("button", pane, { type: "button", "data-pane": pane, click: () => this.#show(pane) });
    return h("nav", { class: "panes" }, ...PANES.map(button));
  }

  #show(pane: Pane | "detail"): void {
    this.#page.dataset["pane"] = pane;
    for (const button of document.querySelectorAll<HTMLElement>(".panes button"))
      button.setAttribute("aria-pressed", String(button.dataset["pane"] === pane));
    this.#turn();
  }
}

document.documentElement.lang = current() === "zh" ? "zh-CN" : "en";
// Another link pasted over this one: a page has one token for life.
addEventListener("hashchange", () => location.reload());
new Dispatch();
