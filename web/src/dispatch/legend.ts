// What the shapes on the map mean, and how many there are of each.

import { h, icon, setText, spoken } from "../dom.ts";
import { count } from "../format.ts";
import { LOOK_ICONS } from "../icons.ts";
import { say, onLanguage } from "../language.ts";
import { MOTIONS } from "../words.ts";
import type { Look, VehicleRow } from "./rows.ts";

const LOOKS: readonly Look[] = ["moving", "standing", "silent", "alert"];

export class Legend {
  readonly element = h("ul", { class: "legend" });
  readonly #numbers = new Map<Look, HTMLElement>();

  constructor() {
    for (const look of LOOKS) {
      const number = h("b", {}, "0");
      this.#numbers.set(look, number);
      this.element.append(
        h(
          "li",
          {},
          h("span", { class: `look-${look}` }, icon(LOOK_ICONS[look], 13)),
          name(look),
          number,
        ),
      );
    }
  }

  show(rows: readonly VehicleRow[]): void {
    const counts = { moving: 0, standing: 0, silent: 0, alert: 0 };
    for (const { look } of rows) counts[look] += 1;
    for (const look of LOOKS) setText(this.#numbers.get(look)!, count(counts[look]));
  }
}

function name(look: Look): HTMLElement {
  if (look === "alert") return spoken("span", "hasAlert");
  const element = h("span", {}, say(MOTIONS[look]));
  onLanguage(() => setText(element, say(MOTIONS[look])));
  return element;
}
