// GeoJSON of what moves and of what is fenced. Pure.

import type { Feature, FeatureCollection, LineString, Point, Polygon, Position } from "geojson";
import type { VehicleRow } from "../dispatch/rows.ts";
import type { Fence, Stop } from "../wire.ts";

const METRES_PER_DEGREE = 111_195;
const CORNERS = 48;
const TILE_PIXELS = 512;

export const NOTHING: FeatureCollection<never> = { type: "FeatureCollection", features: [] };

export function vehicles(rows: readonly VehicleRow[]): FeatureCollection<Point> {
  return collection(
    rows.map(({ row: [id, , lat, lon, , heading], look }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties: { id, look, heading: heading ?? 0 },
    })),
  );
}

/** A circle of real metres, as a polygon. */
export function circle({ lat, lon }: Fence, radius_m: number): Position[] {
  const up = radius_m / METRES_PER_DEGREE;
  const aside = up / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return Array.from({ length: CORNERS + 1 }, (_, n) => {
    const angle = (2 * Math.PI * n) / CORNERS;
    return [lon + aside * Math.cos(angle), lat + up * Math.sin(angle)];
  });
}

/** Each stop as its fence and as a point with its role, and a name if it gets one. */
export function fences(
  stops: readonly Stop[],
  name?: (stop: Stop) => string,
): FeatureCollection<Polygon | LineString | Point> {
  return collection(
    stops.flatMap((stop): Feature<Polygon | LineString | Point>[] => [
      ...outlines(stop.fence).map((geometry) => ({
        type: "Feature" as const,
        geometry,
        properties: { role: stop.role, width: widthAtZoom0(stop.fence) },
      })),
      {
        type: "Feature",
        geometry: { type: "Point", coordinates: [stop.fence.lon, stop.fence.lat] },
        properties: { role: stop.role, ...(name && { name: name(stop) }) },
      },
    ]),
  );
}

/** A circle where one enters it, an area by its own edge, a corridor by its middle. */
function outlines(fence: Fence): (Polygon | LineString)[] {
  const { shape } = fence;
  if (shape?.kind === "area") return polygons(shape.rings.map(places));
  if (shape?.kind === "line")
    return shape.parts.map((part) => ({ type: "LineString", coordinates: places(part) }));
  return [{ type: "Polygon", coordinates: [circle(fence, fence.enter_m)] }];
}

function places(latLons: readonly (readonly [number, number])[]): Position[] {
  return latLons.map(([lat, lon]) => [lon, lat]);
}

/** Rings of which an odd number surrounds what is inside, as polygons with their holes. */
export function polygons(rings: readonly Position[][]): Polygon[] {
  const around = (ring: Position[]) =>
    rings.filter((other) => other !== ring && surrounds(other, ring[0]!));
  const outer = rings.filter((ring) => around(ring).length % 2 === 0);
  return outer.map((ring) => {
    const depth = around(ring).length;
    const holes = rings.filter((hole) => {
      const its = around(hole);
      return its.includes(ring) && its.length === depth + 1;
    });
    return { type: "Polygon", coordinates: [ring, ...holes].map(closed) };
  });
}

function closed(ring: Position[]): Position[] {
  return [...ring, ring[0]!];
}

function surrounds(ring: readonly Position[], [x, y]: Position): boolean {
  let inside = false;
  ring.forEach(([xa, ya], n) => {
    const [xb, yb] = ring.at(n - 1)!;
    if (ya! > y! !== yb! > y! && x! < xa! + ((y! - ya!) / (yb! - ya!)) * (xb! - xa!))
      inside = !inside;
  });
  return inside;
}

/** A corridor's width in pixels at zoom 0; it doubles with each. */
function widthAtZoom0({ lat, enter_m }: Fence): number {
  return (2 * enter_m * TILE_PIXELS) / (360 * METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
}

export function line(places: readonly Position[]): FeatureCollection<LineString> {
  if (places.length < 2) return NOTHING;
  const geometry: LineString = { type: "LineString", coordinates: [...places] };
  return collection([{ type: "Feature", geometry, properties: {} }]);
}

/** Stops of all orders in view, each place once. */
export function stopsIn(
  orders: Iterable<{ readonly stops: readonly Stop[] }>,
  contains: (lon: number, lat: number) => boolean,
  most: number,
): Stop[] {
  const found = new Map<string, Stop>();
  for (const { stops } of orders)
    for (const stop of stops) {
      if (found.size >= most) return [...found.values()];
      if (contains(stop.fence.lon, stop.fence.lat))
        found.set(`${stop.stop_id} ${stop.fence.lat} ${stop.fence.lon}`, stop);
    }
  return [...found.values()];
}

function collection<G extends Point | Polygon | LineString>(
  features: Feature<G>[],
): FeatureCollection<G> {
  return { type: "FeatureCollection", features };
}
