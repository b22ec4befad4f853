// Cuts lines and polygons to a box, for maps that are served in pieces.

import type { Position } from "geojson";

export type Box = readonly [west: number, south: number, east: number, north: number];

type Side = { inside(p: Position): boolean; cross(a: Position, b: Position): Position };

/** A ring cut to the box (Sutherland and Hodgman), closed; empty when nothing is left of it. */
export function clipRing(ring: readonly Position[], box: Box): Position[] {
  let points: Position[] = ring.slice(0, -1);
  for (const side of sides(box)) points = clipSide(points, side);
  const first = points[0];
  return first && points.length > 2 ? [...points, first] : [];
}

/** The pieces of a line that lie in the box. */
export function clipLine(line: readonly Position[], box: Box): Position[][] {
  const pieces: Position[][] = [];
  let piece: Position[] = [];
  for (let n = 1; n < line.length; n++) {
    const kept = clipSegment(line[n - 1]!, line[n]!, box);
    if (!kept) continue;
    const last = piece.at(-1);
    if (!last || last[0] !== kept[0][0] || last[1] !== kept[0][1]) {
      piece = [kept[0]];
      pieces.push(piece);
    }
    piece.push(kept[1]);
  }
  return pieces;
}

function clipSide(points: readonly Position[], side: Side): Position[] {
  const kept: Position[] = [];
  let before = points.at(-1);
  for (const point of points) {
    if (before && side.inside(point) !== side.inside(before)) kept.push(side.cross(before, point));
    if (side.inside(point)) kept.push(point);
    before = point;
  }
  return kept;
}

function clipSegment(a: Position, b: Position, box: Box): [Position, Position] | null {
  let from = a;
  let to = b;
  for (const side of sides(box)) {
    const ins = [side.inside(from), side.inside(to)];
    if (!ins[0] && !ins[1]) return null;
    if (!ins[0]) from = side.cross(from, to);
    if (!ins[1]) to = side.cross(from, to);
  }
  return [from, to];
}

function sides([west, south, east, north]: Box): Side[] {
  return [
    { inside: (p) => p[0]! >= west, cross: (a, b) => at(a, b, 0, west) },
    { inside: (p) => p[0]! <= east, cross: (a, b) => at(a, b, 0, east) },
    { inside: (p) => p[1]! >= south, cross: (a, b) => at(a, b, 1, south) },
    { inside: (p) => p[1]! <= north, cross: (a, b) => at(a, b, 1, north) },
  ];
}

/** Where the line from a to b has this coordinate. */
function at(a: Position, b: Position, axis: 0 | 1, value: number): Position {
  const share = (value - a[axis]!) / (b[axis]! - a[axis]!);
  const other = axis === 0 ? a[1]! + share * (b[1]! - a[1]!) : a[0]! + share * (b[0]! - a[0]!);
  return axis === 0 ? [value, other] : [other, value];
}
