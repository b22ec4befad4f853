// The customer's map: where the goods are, and where they go.

import * as maplibre from "maplibre-gl";
import { noMap } from "../dispatch/fleet_map.ts";
import { say } from "../language.ts";
import { type BaseMap, tryMap } from "../map/base.ts";
import { Glide } from "../map/glide.ts";
import { addOrderLayers } from "../map/order_layers.ts";
import { fences, line } from "../map/shapes.ts";
import type { Stop } from "../wire.ts";
import { ROLES } from "../words.ts";
import type { Place } from "./model.ts";

const CLOSE_ZOOM = 13;

export class OrderMap {
  readonly #base: BaseMap | null;
  readonly #glide: Glide | null = null;
  #stops: readonly Stop[] = [];
  #framed = "";

  constructor(container: HTMLElement) {
    // A page that is scrolled with a thumb must not be caught by its map.
    const options = {
      cooperativeGestures: false,
      scrollZoom: false,
      dragPan: !matchMedia("(pointer: coarse)").matches,
    };
    this.#base = tryMap(
      container,
      (map, colours) => {
        addOrderLayers(map, colours);
        this.#draw();
      },
      { ...options, center: [120.6, 31], zoom: 6 },
    );
    if (!this.#base) {
      container.append(noMap());
      return;
    }
    const { map } = this.#base;
    this.#glide = new Glide(map);
    new ResizeObserver(() => map.resize()).observe(container);
  }

  show(stops: readonly Stop[], place: Place | null, believable: boolean): void {
    this.#stops = stops;
    this.#draw();
    const goal = stops.at(-1)?.fence;
    const way =
      place && goal
        ? [
            [place.lon, place.lat],
            [goal.lon, goal.lat],
          ]
        : [];
    this.#base?.source("way")?.setData(line(way));
    if (place)
      this.#glide?.show(
        place.vehicle,
        place,
        place.moving && believable ? "moving" : believable ? "standing" : "silent",
        place.heading,
      );
    else this.#glide?.hide();
    this.#frame(place);
  }

  /** Vehicle and destination both in view; again only when the vehicle nears the edge. */
  #frame(place: Place | null): void {
    const map = this.#base?.map;
    const destination = this.#stops.at(-1);
    if (!map || !(destination || place)) return;
    const key = `${destination?.stop_id} ${place !== null}`;
    const inside = !place || map.getBounds().contains([place.lon, place.lat]);
    if (key === this.#framed && inside) return;
    const bounds = new maplibre.LngLatBounds();
    if (destination) bounds.extend([destination.fence.lon, destination.fence.lat]);
    if (place) bounds.extend([place.lon, place.lat]);
    map.fitBounds(bounds, { padding: 56, maxZoom: CLOSE_ZOOM, duration: this.#framed ? 600 : 0 });
    this.#framed = key;
  }

  #draw(): void {
    const named = (stop: Stop) => say(ROLES[stop.role]);
    this.#base?.source("stops")?.setData(fences(this.#stops, named));
  }
}
