// A map that asks nobody outside: it loads the pieces of its own base map as they come into view,
// follows theme and language, and says so when the browser cannot draw it.

import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { current, onLanguage } from "../language.ts";
import { cellsIn } from "./cells.ts";
import { graticule } from "./graticule.ts";
import { onTheme, type Palette, palette } from "./palette.ts";
import { type Packed, unpack } from "./packed.ts";
import { type BaseSource, baseStyle } from "./style.ts";
import { townFeatures } from "./towns.ts";

/** Put in place by build/base_map.ts. */
declare const __MAP_FOLDER__: string;

maplibre.setWorkerUrl(workerUrl);

interface Pieces {
  readonly land: readonly Packed[][];
  readonly lakes: readonly Packed[][];
  readonly coast: readonly Packed[];
  readonly borders: readonly Packed[];
  readonly rivers: readonly Packed[];
}

/** The far view, with the names of the cells there are: open sea has none. */
type World = Pieces & { readonly cells: readonly string[] };

const DETAIL_FROM_ZOOM = 3.5;
const RETRY_MS = 5_000;

/** `furnish` adds sources and layers of one's own; it is called again when the theme changes. */
export type Furnish = (map: maplibre.Map, colours: Palette) => void;

export class BaseMap {
  readonly map: maplibre.Map;
  #world: World | null = null;
  #pieces = new Map<string, Pieces>();
  #shown = "";
  #asked = new Set<string>();
  readonly #furnish: Furnish;

  constructor(container: HTMLElement, furnish: Furnish, options: Partial<maplibre.MapOptions>) {
    this.#furnish = furnish;
    this.map = new maplibre.Map({
      container,
      style: baseStyle(palette()),
      attributionControl: false,
      fadeDuration: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      maxZoom: 17,
      ...options,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.on("style.load", () => this.#dress());
    this.map.on("moveend", () => this.#load());
    onTheme(() => this.map.setStyle(baseStyle(palette()), { diff: false }));
    onLanguage(() => {
      if (this.map.getLayer("towns"))
        this.map.setLayoutProperty("towns", "text-field", ["get", current()]);
    });
  }

  source(name: string): maplibre.GeoJSONSource | undefined {
    return this.map.getSource<maplibre.GeoJSONSource>(name);
  }

  #dress(): void {
    this.source("towns")?.setData(townFeatures());
    this.#furnish(this.map, palette());
    this.#shown = "";
    this.#load();
  }

  /** The detailed pieces in view, or the far view while one of them is missing. */
  #wanted(): string[] {
    if (this.map.getZoom() < DETAIL_FROM_ZOOM) return ["world"];
    const bounds = this.map.getBounds();
    const [west, east] = [bounds.getWest(), bounds.getEast()];
    const cells = this.#world?.cells ?? [];
    const names = cellsIn(west, bounds.getSouth(), east, bounds.getNorth());
    return names.filter((name) => cells.includes(name));
  }

  #load(): void {
    for (const name of ["world", ...this.#wanted()])
      if (!this.#asked.has(name)) {
        this.#asked.add(name);
        void this.#fetch(name);
      }
    this.#show();
    const [[west, south], [east, north]] = this.map.getBounds().toArray();
    this.#set("grid", graticule([west, south, east, north], this.map.getZoom()));
  }

  async #fetch(name: string): Promise<void> {
    const answer = await fetch(`${__MAP_FOLDER__}/${name}.json`).catch(() => null);
    if (!answer) {
      // The server is away; the map may wait.
      this.#asked.delete(name);
      setTimeout(() => this.#load(), RETRY_MS);
      return;
    }
    if (!answer.ok) throw new Error(`base map ${name}: ${answer.status}`);
    const pieces = (await answer.json()) as Pieces;
    this.#pieces.set(name, pieces);
    if (name === "world") this.#world = pieces as World;
    this.#load();
  }

  #show(): void {
    const wanted = this.#wanted();
    const names = wanted.every((name) => this.#pieces.has(name)) ? wanted : ["world"];
    const pieces = names.flatMap((name) => this.#pieces.get(name) ?? []);
    if (!pieces.length || this.#shown === String(names)) return;
    this.#shown = String(names);
    for (const name of ["land", "lakes"] as const) {
      const areas = pieces.flatMap((one) => one[name].map((rings) => rings.map(unpack)));
      this.#set(name, { type: "MultiPolygon", coordinates: areas });
    }
    for (const name of ["coast", "borders", "rivers"] as const) {
      const lines = pieces.flatMap((one) => one[name].map(unpack));
      this.#set(name, { type: "MultiLineString", coordinates: lines });
    }
  }

  #set(name: BaseSource | "grid", geometry: GeoJSON.Geometry): void {
    this.source(name)?.setData({ type: "Feature", geometry, properties: {} });
  }
}

/** What to do without WebGL 2: `null`, and the pages say so. */
export function tryMap(
  container: HTMLElement,
  furnish: Furnish,
  options: Partial<maplibre.MapOptions> = {},
): BaseMap | null {
  const probe = document.createElement("canvas").getContext("webgl2");
  if (!probe) return null;
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  return new BaseMap(container, furnish, options);
}
