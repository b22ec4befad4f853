// The map's colours by day and by night. States wear the same colours as in the style sheets
// (tokens.css), where their contrast is explained.

import type { Look } from "../dispatch/rows.ts";

export interface Palette {
  readonly sea: string;
  readonly land: string;
  readonly water: string;
  readonly coast: string;
  readonly border: string;
  readonly grid: string;
  readonly town: string;
  readonly halo: string;
  readonly accent: string;
  readonly surface: string;
  readonly text: string;
  readonly looks: Readonly<Record<Look, string>>;
}

const DAY: Palette = {
  sea: "#d5e3ea",
  land: "#f6f5f1",
  water: "#d5e3ea",
  coast: "#b3c7d1",
  border: "#dcd7cc",
  grid: "#8aa2ae",
  town: "#53606d",
  halo: "#f6f5f1",
  accent: "#0b5fce",
  surface: "#ffffff",
  text: "#17202b",
  looks: { moving: "#0a7857", standing: "#5a6b80", silent: "#a15c00", alert: "#c8281d" },
};

const NIGHT: Palette = {
  sea: "#0a1016",
  land: "#171e26",
  water: "#0d151d",
  coast: "#2c3a47",
  border: "#2a323c",
  grid: "#4b5c6b",
  town: "#a3b0bd",
  halo: "#171e26",
  accent: "#6fb0ff",
  surface: "#1a222b",
  text: "#e8edf2",
  looks: { moving: "#37c898", standing: "#9fb0c4", silent: "#f0b24a", alert: "#ff7566" },
};

const dark = matchMedia("(prefers-color-scheme: dark)");

export function palette(): Palette {
  return dark.matches ? NIGHT : DAY;
}

export function onTheme(listener: () => void): void {
  dark.addEventListener("change", listener);
}
