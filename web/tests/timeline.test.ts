import { expect, test } from "vitest";
import { timeline } from "../src/timeline.ts";
import { milestone } from "./builders.ts";

test("newest first; what another one replaces is marked and stays", () => {
  const told = [
    milestone({ sequence: 1, code: "arrived_pickup", occurred_at: 10 }),
    milestone({ sequence: 2, code: "outbound", occurred_at: 20 }),
    milestone({ sequence: 3, code: "arrived_pickup", occurred_at: 12, supersedes: 1 }),
  ];
  expect(
    timeline(told).map(({ milestone: { sequence }, superseded }) => [sequence, superseded]),
  ).toEqual([
    [2, false],
    [3, false],
    [1, true],
  ]);
});
