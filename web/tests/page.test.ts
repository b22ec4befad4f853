import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { address } from "../src/connection.ts";
import { preferred } from "../src/language.ts";
import { query, selected, token } from "../src/link.ts";

test.each([
  ["#aa.bb-_.cc", "aa.bb-_.cc"],
  ["", null],
  ["#not a token", null],
  ["#aa.bb", null],
])("the fragment %j holds the token %j", (hash, held) => {
  expect(token(hash)).toBe(held);
});

test("what is selected survives in the address, whatever its id is made of", () => {
  for (const id of ["SH-1", "a b&c=d", "订单/7"])
    for (const kind of ["order", "vehicle"] as const)
      expect(selected(query({ kind, id }))).toEqual({ kind, id });
  expect([query(null), selected("?utm=1")]).toEqual(["", null]);
});

test("the socket is where the page came from", () => {
  const page = { host: "h:1", protocol: "http:", pathname: "/index.html" };
  expect(address(page)).toBe("ws://h:1/ws");
  expect(address({ ...page, protocol: "https:", pathname: "/fleet/order.html" })).toBe(
    "wss://h:1/fleet/ws",
  );
});

test("the first language of the browser that the pages speak is theirs", () => {
  expect(preferred(["de-DE", "zh-TW", "en"])).toBe("zh");
  expect(preferred(["en-GB", "zh-CN"])).toBe("en");
  expect(preferred(["fr"])).toBe("en");
});

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");
const [day, night] = css.split("@media (prefers-color-scheme: dark)").map(colours);
const TEXTS = ["text", "quiet", "accent", "moving", "standing", "silent", "alert"];
const GROUNDS = ["surface", "raised", "ground"];
const PAIRS = [
  ...TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground])),
  ["accent", "accent-soft"],
  ["silent", "silent-soft"],
  ["alert", "alert-soft"],
  ["on-accent", "accent"],
  ["surface", "alert"],
] as [string, string][];

test.each(PAIRS)("%s on %s can be read, by day and by night", (text, ground) => {
  for (const scheme of [day!, { ...day!, ...night! }])
    expect(contrast(scheme[text]!, scheme[ground]!)).toBeGreaterThanOrEqual(4.5);
});

function colours(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name, colour]) => [name!, colour!]),
  );
}

/** WCAG 2's. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
