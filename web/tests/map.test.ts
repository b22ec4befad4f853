import { expect, test } from "vitest";
import { clipLine, clipRing } from "../build/clip.ts";
import { cellsIn } from "../src/map/cells.ts";
import { graticule } from "../src/map/graticule.ts";
import { pack, unpack } from "../src/map/packed.ts";
import { circle, fences, polygons, stopsIn } from "../src/map/shapes.ts";
import type { Fence } from "../src/wire.ts";

const fence: Fence = { lat: 31.2, lon: 121.4, enter_m: 150, exit_m: 250, shape: null };

function metres([lon, lat]: readonly number[]): number {
  const [east, north] = [
    (lon! - fence.lon) * Math.cos((fence.lat * Math.PI) / 180),
    lat! - fence.lat,
  ];
  return Math.hypot(east, north) * 111_195;
}

test("a fence's circle has its radius in real metres all around", () => {
  for (const place of circle(fence, 150)) expect(metres(place)).toBeCloseTo(150, 0);
});

test("an area is drawn with its holes, and with an island in one of them", () => {
  const square = (half: number) =>
    [
      [-half, -half],
      [half, -half],
      [half, half],
      [-half, half],
    ].map(([x, y]) => [x!, y!]);
  const apart = [
    [20, 20],
    [21, 20],
    [21, 21],
  ];
  const shape = polygons([square(3), square(9), apart, square(6)]);
  expect(shape.map(({ coordinates }) => coordinates.map((ring) => ring[0]))).toEqual([
    [[-3, -3]],
    [
      [-9, -9],
      [-6, -6],
    ],
    [[20, 20]],
  ]);
});

test("a corridor is drawn along its middle, as wide as it is", () => {
  const shape = {
    kind: "line" as const,
    parts: [
      [
        [31, 121],
        [32, 122],
      ] as const,
    ],
  };
  const [corridor] = fences([
    { stop_id: "s", role: "hub", fence: { ...fence, lat: 0, shape } },
  ]).features;
  expect(corridor!.geometry).toEqual({
    type: "LineString",
    coordinates: [
      [121, 31],
      [122, 32],
    ],
  });
  expect(corridor!.properties!["width"] * 2 ** 17).toBeCloseTo(300 / 0.597, -1);
});

test("a stop that several orders share is drawn once, and only so many", () => {
  const stop = { stop_id: "dock", role: "delivery" as const, fence };
  const far = { ...stop, fence: { ...fence, lon: 0 } };
  const orders = [{ stops: [stop, far] }, { stops: [stop] }];
  expect(stopsIn(orders, (lon) => lon > 100, 10)).toEqual([stop]);
  expect(stopsIn(orders, () => true, 1)).toHaveLength(1);
});

test("a ring is cut to the box, a line into what lies inside", () => {
  const square = [
    [-5, -5],
    [5, -5],
    [5, 5],
    [-5, 5],
    [-5, -5],
  ];
  expect(new Set(clipRing(square, [0, 0, 9, 9]).map(String))).toEqual(
    new Set(["0,0", "5,0", "5,5", "0,5"]),
  );
  expect(clipRing(square, [20, 20, 30, 30])).toEqual([]);
  expect(
    clipLine(
      [
        [-2, 1],
        [2, 1],
        [2, -2],
        [4, -2],
        [4, 2],
      ],
      [0, 0, 9, 9],
    ),
  ).toEqual([
    [
      [0, 1],
      [2, 1],
      [2, 0],
    ],
    [
      [4, 0],
      [4, 2],
    ],
  ]);
});

test("packed lines come back, to a thousandth of a degree", () => {
  expect(
    unpack(
      pack([
        [121.4704, 31.2304],
        [121.4701, 31.2302],
        [-0.5, -31.25],
      ]),
    ),
  ).toEqual([
    [121.47, 31.23],
    [-0.5, -31.25],
  ]);
});

test("a view asks for the cells it touches, also over the date line", () => {
  expect(cellsIn(118, 29, 122, 33)).toEqual(["e100n20", "e120n20"]);
  expect(cellsIn(170, -10, 190, 10).sort()).toEqual(["e160n0", "e160s20", "w180n0", "w180s20"]);
});

test("the grid is as fine as the view, and covers it", () => {
  const { coordinates } = graticule([121.4, 31.1, 121.6, 31.3], 11);
  const lons = coordinates.map(([from]) => from![0]!);
  expect(coordinates.length).toBeLessThan(25);
  expect([Math.min(...lons) < 121.4, Math.max(...lons) > 121.6]).toEqual([true, true]);
});
