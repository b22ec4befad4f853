// Small signs, drawn on a grid of 16. The first four are the shapes of the map.

import type { Look } from "./dispatch/rows.ts";
import type { StopRole } from "./wire.ts";

export const LOOK_ICONS: Record<Look, string> = {
  moving: "M8 1 L13 14 L8 11 L3 14 Z",
  standing: "M3 3 H13 V13 H3 Z",
  silent: "M8 2 A6 6 0 1 0 8 14 A6 6 0 1 0 8 2 Z M8 4 A4 4 0 1 1 8 12 A4 4 0 1 1 8 4 Z",
  alert: "M8 1.5 L15 14 H1 Z M7.2 6 L7.5 10.2 H8.5 L8.8 6 Z M7.2 11.2 H8.8 V12.7 H7.2 Z",
};

export const ROLE_ICONS: Record<StopRole, string> = {
  pickup: "M2 7 L8 2 L14 7 V14 H10 V9 H6 V14 H2 Z",
  hub: "M8 1 L15 8 L8 15 L1 8 Z M8 4.5 L11.5 8 L8 11.5 L4.5 8 Z",
  delivery:
    "M8 1 A5 5 0 0 1 13 6 C13 9.5 8 15 8 15 C8 15 3 9.5 3 6 A5 5 0 0 1 8 1 Z M8 4 A2 2 0 1 0 8 8 A2 2 0 1 0 8 4 Z",
  site: "M2 3 H14 V13 H2 Z",
};

export const CHECK = "M6.3 12.4 L2 8.2 L3.5 6.7 L6.3 9.4 L12.5 3.2 L14 4.7 Z";
export const CROSS =
  "M3.5 2.4 L8 6.9 L12.5 2.4 L13.6 3.5 L9.1 8 L13.6 12.5 L12.5 13.6 L8 9.1 L3.5 13.6 L2.4 12.5 L6.9 8 L2.4 3.5 Z";
export const TARGET =
  "M7.2 0 H8.8 V2.1 A6 6 0 0 1 13.9 7.2 H16 V8.8 H13.9 A6 6 0 0 1 8.8 13.9 V16 H7.2 V13.9 A6 6 0 0 1 2.1 8.8 H0 V7.2 H2.1 A6 6 0 0 1 7.2 2.1 Z M8 3.8 A4.2 4.2 0 1 0 8 12.2 A4.2 4.2 0 1 0 8 3.8 Z M8 6 A2 2 0 1 1 8 10 A2 2 0 1 1 8 6 Z";
export const SEARCH =
  "M6.5 1 A5.5 5.5 0 0 1 10.9 9.8 L15 13.9 L13.9 15 L9.8 10.9 A5.5 5.5 0 1 1 6.5 1 Z M6.5 2.6 A3.9 3.9 0 1 0 6.5 10.4 A3.9 3.9 0 1 0 6.5 2.6 Z";
/** A milestone by the road. */
export const BRAND = "M4 15 V6 A4 4 0 0 1 12 6 V15 H14 V16 H2 V15 Z M7.2 5 V11 H8.8 V5 Z";
