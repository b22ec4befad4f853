import { beforeEach, expect, test, vi } from "vitest";

const [S, MIN, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

async function speaking(language: string) {
  vi.stubGlobal("navigator", { languages: [language] });
  return import("../src/format.ts");
}

beforeEach(() => {
  vi.resetModules();
});

test.each([
  [-5 * S, "just now", "刚刚"],
  [12 * S, "12 s ago", "12 秒前"],
  [3 * MIN + 59 * S, "3 min ago", "3 分钟前"],
  [2 * HOUR, "2 h ago", "2 小时前"],
  [2 * HOUR + 5 * MIN, "2 h 5 min ago", "2 小时 5 分前"],
  [3 * DAY + 4 * HOUR, "3 d 4 h ago", "3 天 4 小时前"],
])("%i ms ago is said as people say it", async (ms, en, zh) => {
  expect((await speaking("en")).ago(ms)).toBe(en);
  vi.resetModules();
  expect((await speaking("zh-CN")).ago(ms)).toBe(zh);
});

test("the date is told only where it is not today's", async () => {
  const { moment } = await speaking("en");
  const noon = new Date(2026, 10, 24, 12, 5).getTime();
  expect(moment(noon, noon + HOUR)).toBe("12:05");
  expect(moment(noon - DAY, noon)).toContain("23 Nov");
});

test("values are put into sentences", async () => {
  const { word } = await speaking("zh");
  expect(word("nVehicles", { n: 7 })).toBe("7 辆车");
});
