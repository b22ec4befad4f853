// The fleet's layers: clusters with a ring of their vehicles' states, and single vehicles.

import type { ExpressionSpecification, Map } from "maplibre-gl";
import type { Palette } from "../map/palette.ts";
import { donutPicture, EIGHTHS, PIXEL_RATIO, vehiclePicture } from "../map/pictures.ts";
import { NOTHING } from "../map/shapes.ts";
import { corridorWidth, FONT } from "../map/style.ts";
import type { Look } from "./rows.ts";

const LOOKS: readonly Look[] = ["moving", "standing", "silent", "alert"];
const IS_CLUSTER: ExpressionSpecification = ["has", "point_count"];
const SINGLE_FROM_ZOOM = 10;
export const FENCES_FROM_ZOOM = 10.5;

export function addFleetLayers(map: Map, colours: Palette): void {
  for (const look of LOOKS)
    map.addImage(`v:${look}`, vehiclePicture(look, colours), { pixelRatio: PIXEL_RATIO });
  map.setMissingStyleImageResolver((id) => {
    if (!id.startsWith("donut:") || map.hasImage(id)) return;
    map.addImage(id, donutPicture(id, colours), { pixelRatio: PIXEL_RATIO });
  });
  addFences(map, colours);
  map.addSource("fleet", {
    type: "geojson",
    data: NOTHING,
    cluster: true,
    clusterRadius: 44,
    clusterMinPoints: 3,
    clusterMaxZoom: SINGLE_FROM_ZOOM - 1,
    clusterProperties: Object.fromEntries(
      LOOKS.map((look) => [look, ["+", ["case", ["==", ["get", "look"], look], 1, 0]]]),
    ),
  });
  addClusters(map, colours);
  map.addLayer({
    id: "vehicles",
    type: "symbol",
    source: "fleet",
    filter: ["!", IS_CLUSTER],
    layout: {
      "icon-image": ["concat", "v:", ["get", "look"]],
      "icon-rotate": ["case", ["==", ["get", "look"], "moving"], ["get", "heading"], 0],
      "icon-rotation-alignment": "map",
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "symbol-sort-key": ["match", ["get", "look"], "alert", 3, "silent", 2, "moving", 1, 0],
    },
  });
}

export function hideVehicle(map: Map | undefined, id: string): void {
  if (!map?.getLayer("vehicles")) return;
  map.setFilter("vehicles", ["all", ["!", IS_CLUSTER], ["!=", ["get", "id"], id]]);
}

/** Of all orders in view; the chosen order's are drawn over them. */
function addFences(map: Map, colours: Palette): void {
  map.addSource("fences", { type: "geojson", data: NOTHING, tolerance: 0.1 });
  map.addLayer({
    id: "fences",
    type: "fill",
    source: "fences",
    minzoom: FENCES_FROM_ZOOM,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": colours.town, "fill-opacity": 0.12, "fill-outline-color": colours.town },
  });
  map.addLayer({
    id: "fences-corridor",
    type: "line",
    source: "fences",
    minzoom: FENCES_FROM_ZOOM,
    filter: ["==", ["geometry-type"], "LineString"],
    paint: { "line-color": colours.town, "line-opacity": 0.15, "line-width": corridorWidth() },
  });
  map.addLayer({
    id: "fences-point",
    type: "circle",
    source: "fences",
    minzoom: FENCES_FROM_ZOOM,
    filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 2, "circle-color": colours.town },
  });
}

function addClusters(map: Map, colours: Palette): void {
  map.addLayer({
    id: "clusters",
    type: "symbol",
    source: "fleet",
    filter: IS_CLUSTER,
    layout: {
      "icon-image": [
        "concat",
        "donut:",
        eighths("alert"),
        ":",
        eighths("silent"),
        ":",
        eighths("moving"),
      ],
      "icon-size": ["interpolate", ["linear"], ["get", "point_count"], 3, 0.8, 50, 1, 500, 1.25],
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "text-field": ["get", "point_count_abbreviated"],
      "text-font": FONT,
      "text-size": 12.5,
      "text-allow-overlap": true,
      "text-ignore-placement": true,
    },
    paint: { "text-color": colours.text },
  });
}

/** What is bad shows however few they are; the rest is rounded. */
function eighths(look: Look): ExpressionSpecification {
  const share: ExpressionSpecification = [
    "/",
    ["*", EIGHTHS, ["get", look]],
    ["get", "point_count"],
  ];
  const whole: ExpressionSpecification = look === "moving" ? ["round", share] : ["ceil", share];
  return ["to-string", whole];
}
