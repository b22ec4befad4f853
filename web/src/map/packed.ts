// Lines as the base map's files hold them: whole thousandths of a degree (a hundred metres: finer
// than the data), each point as its difference from the one before. A third of the size of GeoJSON.

import type { Position } from "geojson";

export type Packed = readonly number[];

const PER_DEGREE = 1000;

/** Points that fall together become one. */
export function pack(line: readonly Position[]): Packed {
  const packed: number[] = [];
  let [x, y] = [0, 0];
  for (const place of line) {
    const [nextX, nextY] = [Math.round(place[0]! * PER_DEGREE), Math.round(place[1]! * PER_DEGREE)];
    if (packed.length && nextX === x && nextY === y) continue;
    packed.push(nextX - x, nextY - y);
    [x, y] = [nextX, nextY];
  }
  return packed;
}

export function unpack(packed: Packed): Position[] {
  const line: Position[] = [];
  let [x, y] = [0, 0];
  for (let n = 0; n < packed.length; n += 2) {
    x += packed[n]!;
    y += packed[n + 1]!;
    line.push([x / PER_DEGREE, y / PER_DEGREE]);
  }
  return line;
}
