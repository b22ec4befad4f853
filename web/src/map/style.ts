// The base map's layers: sea, land, lakes, rivers, borders, coast, a graticule, names of towns.
// Labels are drawn from the system's fonts (no `glyphs`), so nothing asks a glyph server.

import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import { current } from "../language.ts";
import type { Palette } from "./palette.ts";
import { NOTHING } from "./shapes.ts";

export const FONT = [
  "system-ui,PingFang SC,Microsoft YaHei,Noto Sans CJK SC,Noto Sans SC,sans-serif",
];
const EMPTY: SourceSpecification = { type: "geojson", data: NOTHING, tolerance: 0.2 };
export const BASE_SOURCES = ["land", "lakes", "rivers", "borders", "coast", "towns"] as const;
export type BaseSource = (typeof BASE_SOURCES)[number];

export function baseStyle(colours: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      ...Object.fromEntries(BASE_SOURCES.map((name) => [name, EMPTY])),
      grid: EMPTY,
    },
    layers: layers(colours),
    transition: { duration: 0, delay: 0 },
  };
}

function layers(colours: Palette): LayerSpecification[] {
  return [
    { id: "sea", type: "background", paint: { "background-color": colours.sea } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": colours.land } },
    {
      id: "rivers",
      type: "line",
      source: "rivers",
      paint: { "line-color": colours.water, "line-width": zoomed(5, 1, 11, 9) },
    },
    { id: "lakes", type: "fill", source: "lakes", paint: { "fill-color": colours.water } },
    {
      id: "grid",
      type: "line",
      source: "grid",
      paint: { "line-color": colours.grid, "line-width": 0.6, "line-opacity": 0.3 },
    },
    {
      id: "borders",
      type: "line",
      source: "borders",
      maxzoom: 9,
      paint: { "line-color": colours.border, "line-width": 1 },
    },
    {
      id: "coast",
      type: "line",
      source: "coast",
      paint: { "line-color": colours.coast, "line-width": zoomed(4, 0.6, 10, 1.2) },
    },
    towns(colours),
  ];
}

function towns(colours: Palette): LayerSpecification {
  return {
    id: "towns",
    type: "symbol",
    source: "towns",
    filter: ["<=", ["get", "from"], ["zoom"]],
    layout: {
      "text-field": ["get", current()],
      "text-font": FONT,
      "text-size": ["interpolate", ["linear"], ["get", "from"], 3, 14, 9, 11.5],
      "text-padding": 6,
      // Below its place, where a cluster of vehicles would cover it.
      "text-anchor": "top",
      "text-offset": [0, 1.3],
      "symbol-sort-key": ["get", "from"],
      "text-letter-spacing": 0.02,
    },
    paint: {
      "text-color": colours.town,
      "text-halo-color": colours.halo,
      "text-halo-width": 1.4,
      "text-opacity": 0.92,
    },
  };
}

export function zoomed(z1: number, a: number, z2: number, b: number) {
  return ["interpolate", ["linear"], ["zoom"], z1, a, z2, b] as [
    "interpolate",
    ["linear"],
    ["zoom"],
    ...number[],
  ];
}

/** The width of a corridor in real metres, from its `width` at zoom 0. */
export function corridorWidth() {
  const [near, far] = [0, 22];
  const width = (zoom: number) => ["*", ["get", "width"], 2 ** zoom];
  return ["interpolate", ["exponential", 2], ["zoom"], near, width(near), far, width(far)] as never;
}
