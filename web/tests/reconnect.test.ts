import { expect, test } from "vitest";
import { verdict } from "../src/reconnect.ts";

test.each([
  [4000, "broken"],
  [4001, "unauthorized"],
  [4004, "outdated"],
  [4006, "broken"],
  [4042, "broken"],
  [4202, "expired"],
])("%i stops: %s", (code, stop) => {
  expect(verdict(code, 0, 0.5)).toEqual({ stop });
});

test.each([4100, 4101, 4108, 4142])("%i waits a second at least, and longer each time", (code) => {
  expect(verdict(code, 0, 0)).toEqual({ waitMs: 1000 });
  expect(verdict(code, 3, 1)).toEqual({ waitMs: 5000 });
});

test.each([4200, 4201, 4242])("%i comes back within a second, the first time", (code) => {
  expect(verdict(code, 0, 1)).toEqual({ waitMs: 1000 });
  expect(verdict(code, 0, 0)).toEqual({ waitMs: 0 });
  expect(verdict(code, 4, 1)).toEqual({ waitMs: 8000 });
});

test.each([1000, 1001, 1006, 1011, 1012])("%i backs off with full jitter up to 30 s", (code) => {
  const most = [0, 1, 2, 3, 4, 5, 6, 20].map((attempt) => verdict(code, attempt, 1));
  expect(most).toEqual(
    [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000].map((waitMs) => ({ waitMs })),
  );
  expect(verdict(code, 6, 0)).toEqual({ waitMs: 0 });
});
