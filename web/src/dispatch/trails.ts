// Where each vehicle was in the last quarter of an hour, as far as this page saw it.

import type { Position } from "geojson";

const KEEP_MS = 15 * 60_000;
/** A point for each 15 s: ten thousand vehicles then cost a few megabytes. */
const APART_MS = 15_000;

export class Trails {
  #points = new Map<string, { ts: number[]; places: Position[] }>();

  add(vehicle: string, ts: number, lon: number, lat: number): void {
    let trail = this.#points.get(vehicle);
    if (!trail) this.#points.set(vehicle, (trail = { ts: [], places: [] }));
    const last = trail.ts.at(-1);
    if (last !== undefined && ts - last < APART_MS) return;
    trail.ts.push(ts);
    trail.places.push([lon, lat]);
    while (trail.ts[0]! < ts - KEEP_MS) {
      trail.ts.shift();
      trail.places.shift();
    }
  }

  of(vehicle: string): Position[] {
    return this.#points.get(vehicle)?.places ?? [];
  }
}
