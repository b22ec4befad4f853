// The one vehicle that is looked at: an element over the map that glides from fix to fix.
//
// It takes as long as the fixes were apart, ten seconds at most, so it moves evenly and is a few
// seconds behind; its age is told by the fix, never by the glide.

import * as maplibre from "maplibre-gl";
import type { Motion } from "../wire.ts";

interface Fix {
  readonly ts: number;
  readonly lon: number;
  readonly lat: number;
}

const LONGEST_MS = 10_000;
const SHORTEST_MS = 400;
/** Farther than this in one step is a correction, not a drive. */
const JUMP_DEGREES = 0.05;
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Glide {
  readonly #marker: maplibre.Marker;
  readonly #element: HTMLElement;
  readonly #map: maplibre.Map;
  readonly #moved: (place: [number, number]) => void;
  #shown: [number, number] | null = null;
  #last: Fix | null = null;
  #vehicle = "";
  #frame = 0;

  constructor(map: maplibre.Map, moved: (place: [number, number]) => void = () => undefined) {
    this.#map = map;
    this.#moved = moved;
    this.#element = document.createElement("div");
    this.#element.className = "glider";
    this.#element.append(arrow());
    this.#marker = new maplibre.Marker({ element: this.#element });
  }

  get place(): [number, number] | null {
    return this.#shown;
  }

  show(
    vehicle: string,
    fix: Fix,
    motion: Motion,
    heading: number | null,
    look: string = motion,
  ): void {
    // Another one does not glide here from where this one is.
    if (vehicle !== this.#vehicle) this.hide();
    this.#vehicle = vehicle;
    this.#element.dataset["look"] = look;
    this.#element.dataset["motion"] = motion;
    if (heading !== null) this.#element.style.setProperty("--heading", `${heading}deg`);
    if (this.#last && fix.ts <= this.#last.ts) return;
    const took = this.#last ? fix.ts - this.#last.ts : 0;
    this.#last = fix;
    this.#go([fix.lon, fix.lat], Math.min(LONGEST_MS, Math.max(SHORTEST_MS, took)));
  }

  hide(): void {
    cancelAnimationFrame(this.#frame);
    this.#marker.remove();
    this.#shown = this.#last = null;
  }

  #go(goal: [number, number], took: number): void {
    cancelAnimationFrame(this.#frame);
    const from = this.#shown;
    const far = from && Math.hypot(goal[0] - from[0], goal[1] - from[1]) > JUMP_DEGREES;
    if (!from || far || still.matches) return this.#put(goal);
    const start = performance.now();
    const step = (now: number) => {
      const share = Math.min(1, (now - start) / took);
      this.#put([from[0] + (goal[0] - from[0]) * share, from[1] + (goal[1] - from[1]) * share]);
      if (share < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #put(place: [number, number]): void {
    const first = this.#shown === null;
    this.#shown = place;
    this.#marker.setLngLat(place);
    if (first) this.#marker.addTo(this.#map);
    this.#moved(place);
  }
}

function arrow(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-12 -12 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M0 -9 L7 8 L0 4.5 L-7 8 Z");
  svg.append(path);
  return svg;
}
