// GeoJSON of what moves and of what is fenced. Pure.

import type { Feature, FeatureCollection, LineString, Point, Polygon, Position } from "geojson";
import type { VehicleRow } from "../dispatch/rows.ts";
import type { Fence, Stop } from "../wire.ts";

const METRES_PER_DEGREE = 111_195;
const CORNERS = 48;

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

/** Each stop as its fence's inner circle and as a point with its role, and a name if it gets one. */
export function fences(
  stops: readonly Stop[],
  name?: (stop: Stop) => string,
): FeatureCollection<Polygon | Point> {
  return collection(
    stops.flatMap((stop): Feature<Polygon | Point>[] => [
      {
        type: "Feature",
        geometry: { type: "Polygon", coordinates: [circle(stop.fence, stop.fence.enter_m)] },
        properties: { role: stop.role },
      },
      {
        type: "Feature",
        geometry: { type: "Point", coordinates: [stop.fence.lon, stop.fence.lat] },
        properties: { role: stop.role, ...(name && { name: name(stop) }) },
      },
    ]),
  );
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
