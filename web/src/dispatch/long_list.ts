// A list of any length of which only what is in view exists. Rows have one height; each is a button,
// so that it can be reached and pressed without a mouse.

import { become, h } from "../dom.ts";

const SPARE = 6;

export class LongList<R> {
  readonly element = h("div", { class: "long-list", role: "list", tabindex: -1 });
  readonly #space = h("div", { class: "space", role: "presentation" });
  #rows: readonly R[] = [];
  #chosen = -1;
  #frame = 0;
  #items = new Map<string, HTMLElement>();

  constructor(
    private readonly height: number,
    private readonly draw: (row: R) => HTMLElement,
  ) {
    this.element.append(this.#space);
    this.element.addEventListener("scroll", () => this.#later(), { passive: true });
    new ResizeObserver(() => this.#later()).observe(this.element);
  }

  show(rows: readonly R[], chosen: number): void {
    this.#rows = rows;
    this.#chosen = chosen;
    this.#space.style.height = `${rows.length * this.height}px`;
    this.#paint();
  }

  reveal(index: number): void {
    const [top, view] = [index * this.height, this.element];
    if (top < view.scrollTop) view.scrollTop = top;
    const bottom = top + this.height - view.clientHeight;
    if (bottom > view.scrollTop) view.scrollTop = bottom;
    this.#paint();
  }

  #later(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - SPARE);
    const last = Math.min(
      this.#rows.length,
      Math.ceil((scrollTop + clientHeight) / this.height) + SPARE,
    );
    const before = this.#items;
    this.#items = new Map();
    for (let n = first; n < last; n++) this.#place(n, before);
    for (const [key, item] of before) if (!this.#items.has(key)) item.remove();
    this.#arrange();
  }

  /** In the document as before the eyes, for those who hear the list; focus is kept. */
  #arrange(): void {
    const focused = document.activeElement;
    let next: Element | null = this.#space.firstElementChild;
    for (const item of this.#items.values())
      if (item === next) next = next.nextElementSibling;
      else this.#space.insertBefore(item, next);
    if (focused instanceof HTMLElement && document.activeElement !== focused)
      focused.focus({ preventScroll: true });
  }

  /** A row that stays keeps its element, or a press that began on it would be lost. */
  #place(n: number, before: ReadonlyMap<string, HTMLElement>): void {
    const button = this.draw(this.#rows[n]!);
    if (n === this.#chosen) button.setAttribute("aria-current", "true");
    const key = button.dataset["id"]!;
    let item = before.get(key);
    if (item) become(item.firstElementChild as HTMLElement, button);
    else item = h("div", { role: "listitem", class: "item" }, button);
    item.setAttribute("aria-setsize", String(this.#rows.length));
    item.setAttribute("aria-posinset", String(n + 1));
    item.style.transform = `translateY(${n * this.height}px)`;
    this.#items.set(key, item);
  }
}
