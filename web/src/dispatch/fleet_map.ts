// The dispatcher's map: all vehicles at most once a second, the chosen one smoothly.

import type { MapMouseEvent } from "maplibre-gl";
import * as maplibre from "maplibre-gl";
import { h, named } from "../dom.ts";
import { word } from "../format.ts";
import { say } from "../language.ts";
import { type BaseMap, tryMap } from "../map/base.ts";
import { Glide } from "../map/glide.ts";
import { addOrderLayers } from "../map/order_layers.ts";
import { fences, line, NOTHING, stopsIn, vehicles } from "../map/shapes.ts";
import type { Selection } from "../link.ts";
import type { OrderSummary, Row } from "../protocol.ts";
import type { Stop } from "../wire.ts";
import { ROLES } from "../words.ts";
import { addFleetLayers, FENCES_FROM_ZOOM, hideVehicle } from "./fleet_layers.ts";
import type { Look, VehicleRow } from "./rows.ts";

const MOST_FENCES = 500;
const DELTA: maplibre.LngLatBoundsLike = [
  [118.4, 29.5],
  [122.2, 32.4],
];
const CLOSE_ZOOM = 12.5;
/** On a phone the card of what is selected covers so much of the map (dispatch.css). */
const SHEET_SHARE = 0.55;
const phone = matchMedia("(max-width: 860px)");

export interface Chosen {
  readonly stops: readonly Stop[];
  readonly row: Row | undefined;
  readonly look: Look | undefined;
  readonly trail: readonly GeoJSON.Position[];
}

export class FleetMap {
  following = false;
  readonly #base: BaseMap | null;
  readonly #glide: Glide | null = null;
  #rows: readonly VehicleRow[] = [];
  #orders: readonly OrderSummary[] = [];
  #chosen: Chosen | null = null;
  #fitted = false;

  constructor(
    container: HTMLElement,
    select: (selection: Selection) => void,
    private readonly unfollowed: () => void,
  ) {
    this.#base = tryMap(
      container,
      (map, colours) => {
        addFleetLayers(map, colours);
        addOrderLayers(map, colours);
        this.#draw();
      },
      { bounds: DELTA, fitBoundsOptions: { padding: 30 } },
    );
    if (!this.#base) {
      container.append(noMap());
      return;
    }
    const { map } = this.#base;
    this.#glide = new Glide(map, (place) => this.#follow(place));
    map.addControl(new maplibre.ScaleControl({ maxWidth: 90 }), "bottom-right");
    map.on("moveend", () => this.#drawFences());
    map.on("dragstart", () => this.#stopFollowing());
    map.on("click", (event) => void this.#clicked(event, select));
    for (const layer of ["vehicles", "clusters"]) {
      map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
      map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
    }
    container.append(this.#controls());
    new ResizeObserver(() => map.resize()).observe(container);
  }

  /** The whole fleet; to be called at most once a second. `orders` null: they are as before. */
  fleet(rows: readonly VehicleRow[], orders: readonly OrderSummary[] | null): void {
    this.#rows = rows;
    this.#base?.source("fleet")?.setData(vehicles(rows));
    if (orders) {
      this.#orders = orders;
      this.#drawFences();
    }
    if (!this.#fitted && rows.length) this.showAll(0);
  }

  choose(chosen: Chosen | null): void {
    this.#chosen = chosen;
    this.#drawChosen();
  }

  /** Brings what was chosen into view. */
  visit(): void {
    const [row, stops] = [this.#chosen?.row, this.#chosen?.stops ?? []];
    const bounds = new maplibre.LngLatBounds();
    for (const { fence } of stops) bounds.extend([fence.lon, fence.lat]);
    if (row) bounds.extend([row[3], row[2]]);
    if (bounds.isEmpty()) return;
    this.#fitted = true;
    const bottom = phone.matches ? SHEET_SHARE * innerHeight : 120;
    const padding = { top: 70, left: 90, right: 90, bottom };
    this.#base?.map.fitBounds(bounds, { padding, maxZoom: CLOSE_ZOOM, duration: 700 });
  }

  follow(on: boolean): void {
    this.following = on;
    const place = this.#glide?.place;
    if (on && place)
      this.#base?.map.easeTo({
        center: place,
        zoom: Math.max(CLOSE_ZOOM, this.#base.map.getZoom()),
        duration: 600,
      });
  }

  showAll(duration = 700): void {
    if (!this.#rows.length) return;
    this.#fitted = true;
    this.#stopFollowing();
    const bounds = new maplibre.LngLatBounds();
    for (const { row } of this.#rows) bounds.extend([row[3], row[2]]);
    this.#base?.map.fitBounds(bounds, { padding: 50, maxZoom: 11, duration });
  }

  #draw(): void {
    this.#base?.source("fleet")?.setData(vehicles(this.#rows));
    this.#drawFences();
    this.#drawChosen();
  }

  #drawFences(): void {
    const map = this.#base?.map;
    if (!map || map.getZoom() < FENCES_FROM_ZOOM) return;
    const bounds = map.getBounds();
    const contains = (lon: number, lat: number) => bounds.contains([lon, lat]);
    this.#base?.source("fences")?.setData(fences(stopsIn(this.#orders, contains, MOST_FENCES)));
  }

  #drawChosen(): void {
    const chosen = this.#chosen;
    // The one that glides is not drawn a second time where it last was.
    hideVehicle(this.#base?.map, chosen?.row?.[0] ?? "");
    const named = (stop: Stop) => `${say(ROLES[stop.role])} ${stop.stop_id}`;
    this.#base?.source("stops")?.setData(chosen ? fences(chosen.stops, named) : NOTHING);
    const way = chosen?.stops.map(({ fence }) => [fence.lon, fence.lat]) ?? [];
    this.#base?.source("way")?.setData(line(way));
    const { row, trail = [] } = chosen ?? {};
    const head = row ? [[row[3], row[2]]] : [];
    this.#base?.source("trail")?.setData(line([...trail, ...head]));
    if (!row) return this.#glide?.hide();
    const [vehicle, ts, lat, lon, , heading, motion] = row;
    this.#glide?.show(vehicle, { ts, lat, lon }, motion, heading, chosen?.look);
  }

  #follow(place: [number, number]): void {
    const map = this.#base?.map;
    // An ease under way (the step to the vehicle) is let finish.
    if (this.following && map && !map.isMoving()) map.jumpTo({ center: place });
  }

  #stopFollowing(): void {
    if (!this.following) return;
    this.following = false;
    this.unfollowed();
  }

  async #clicked(event: MapMouseEvent, select: (selection: Selection) => void): Promise<void> {
    const { map } = this.#base!;
    const [{ x, y }, near] = [event.point, 6];
    const [found] = map.queryRenderedFeatures(
      [
        [x - near, y - near],
        [x + near, y + near],
      ],
      {
        layers: ["vehicles", "clusters"],
      },
    );
    if (!found) return;
    const id = found.properties["id"] as string | undefined;
    if (id !== undefined) return select({ kind: "vehicle", id });
    const source = this.#base!.source("fleet")!;
    const zoom = await source.getClusterExpansionZoom(found.properties["cluster_id"] as number);
    this.#stopFollowing();
    map.easeTo({ center: event.lngLat, zoom: zoom + 0.3, duration: 500 });
  }

  #controls(): HTMLElement {
    const { map } = this.#base!;
    const button = (label: "zoomIn" | "zoomOut" | "showAll", sign: string, click: () => void) =>
      named(h("button", { type: "button", click }, sign), { "aria-label": label, title: label });
    return h(
      "div",
      { class: "map-controls" },
      button("zoomIn", "+", () => map.zoomIn()),
      button("zoomOut", "−", () => map.zoomOut()),
      button("showAll", "⤢", () => this.showAll()),
    );
  }
}

export function noMap(): HTMLElement {
  return h(
    "div",
    { class: "no-map", role: "status" },
    h("strong", { "data-word": "noMap" }, word("noMap")),
    h("p", { "data-word": "noMapMore" }, word("noMapMore")),
  );
}
