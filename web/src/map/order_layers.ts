// What is drawn of one order, on both pages: its stops with their fences, and where its vehicle was.

import type { Map } from "maplibre-gl";
import type { Palette } from "./palette.ts";
import { NOTHING } from "./shapes.ts";
import { corridorWidth, FONT, zoomed } from "./style.ts";

export function addOrderLayers(map: Map, colours: Palette): void {
  for (const name of ["stops", "way", "trail"])
    map.addSource(name, { type: "geojson", data: NOTHING, tolerance: 0 });
  map.addLayer({
    id: "stops-area",
    type: "fill",
    source: "stops",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": colours.accent, "fill-opacity": 0.14 },
  });
  map.addLayer({
    id: "stops-edge",
    type: "line",
    source: "stops",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "line-color": colours.accent, "line-width": 1.5 },
  });
  map.addLayer({
    id: "stops-corridor",
    type: "line",
    source: "stops",
    filter: ["==", ["geometry-type"], "LineString"],
    paint: { "line-color": colours.accent, "line-opacity": 0.2, "line-width": corridorWidth() },
  });
  map.addLayer({
    id: "way",
    type: "line",
    source: "way",
    layout: { "line-cap": "round" },
    paint: {
      "line-color": colours.accent,
      "line-width": 1.6,
      "line-opacity": 0.55,
      "line-dasharray": [1, 2.6],
    },
  });
  map.addLayer({
    id: "trail",
    type: "line",
    source: "trail",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colours.accent, "line-width": 3.5, "line-opacity": 0.75 },
  });
  map.addLayer({
    id: "stops-point",
    type: "circle",
    source: "stops",
    filter: ["==", ["geometry-type"], "Point"],
    paint: {
      "circle-radius": ["match", ["get", "role"], "delivery", 7, 5.5],
      "circle-color": ["match", ["get", "role"], "delivery", colours.accent, colours.surface],
      "circle-stroke-width": 2.5,
      "circle-stroke-color": [
        "match",
        ["get", "role"],
        "delivery",
        colours.surface,
        colours.accent,
      ],
    },
  });
  map.addLayer({
    id: "stops-name",
    type: "symbol",
    source: "stops",
    filter: ["all", ["==", ["geometry-type"], "Point"], ["has", "name"]],
    layout: {
      "text-field": ["get", "name"],
      "text-font": FONT,
      "text-size": 12,
      "text-max-width": 24,
      "text-variable-anchor": ["top", "bottom", "left", "right"],
      "text-radial-offset": 0.9,
    },
    paint: {
      "text-color": colours.text,
      "text-halo-color": colours.halo,
      "text-halo-width": zoomed(5, 1.6, 12, 2),
    },
  });
}
