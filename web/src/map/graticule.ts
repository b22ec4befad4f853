// A grid of meridians and parallels, finer the closer one looks: where the map has no streets it
// gives the eye something to measure by. Pure.

import type { MultiLineString, Position } from "geojson";

const STEPS: readonly (readonly [zoom: number, degrees: number])[] = [
  [0, 10],
  [5.5, 1],
  [8.5, 0.25],
  [10.5, 0.05],
  [13, 0.01],
  [15.5, 0.0025],
];

/** Only what is in view, and a little more. */
export function graticule(
  [west, south, east, north]: readonly [number, number, number, number],
  zoom: number,
): MultiLineString {
  const step = STEPS.findLast(([from]) => zoom >= from)?.[1] ?? 10;
  const lines: Position[][] = [];
  const [w, e] = [Math.floor(west / step) - 1, Math.ceil(east / step) + 1];
  const [s, n] = [Math.floor(south / step) - 1, Math.ceil(north / step) + 1];
  for (let x = w; x <= e; x++)
    lines.push([
      [x * step, s * step],
      [x * step, n * step],
    ]);
  for (let y = s; y <= n; y++)
    lines.push([
      [w * step, y * step],
      [e * step, y * step],
    ]);
  return { type: "MultiLineString", coordinates: lines };
}
