// The little the pages need to build elements. Text is always text: ids are the sender's.

import { current, onLanguage } from "./language.ts";
import { type Word, WORDS } from "./words.ts";

type Child = Node | string | null | false | undefined;
type Props = Record<
  string,
  string | number | boolean | null | undefined | ((event: never) => void)
>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function")
      element.addEventListener(name, value as unknown as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value != null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** Text of ours that follows the language by itself. */
export function spoken<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  key: Word,
  props: Props = {},
): HTMLElementTagNameMap[K] {
  return h(tag, { ...props, "data-word": key }, WORDS[key][current()]);
}

/** Attributes of ours that follow the language: `named(input, {placeholder: "search"})`. */
export function named<E extends Element>(element: E, words: Record<string, Word>): E {
  for (const [attribute, key] of Object.entries(words)) {
    element.setAttribute(`data-word-${attribute}`, key);
    element.setAttribute(attribute, WORDS[key][current()]);
  }
  return element;
}

export function translate(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-word]"))
    element.textContent = WORDS[element.dataset["word"] as Word][current()];
  for (const attribute of ["placeholder", "aria-label", "title"])
    for (const element of root.querySelectorAll(`[data-word-${attribute}]`)) {
      const key = element.getAttribute(`data-word-${attribute}`) as Word;
      element.setAttribute(attribute, WORDS[key][current()]);
    }
}

onLanguage(() => translate(document));

/**
 * Makes `old` like `next`, keeping every element that may stay: a press, a focus or a selection that
 * began on it goes on. Listeners stay too, so what they act on must be in an attribute.
 */
export function become(old: Element, next: Element): void {
  if (old.isEqualNode(next)) return;
  for (const { name } of [...old.attributes])
    if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) old.setAttribute(name, value);
  const [mine, theirs] = [[...old.childNodes], [...next.childNodes]];
  theirs.forEach((their, n) => {
    const my = mine[n];
    if (!my) old.append(their);
    else if (my instanceof Element && their instanceof Element && my.tagName === their.tagName)
      become(my, their);
    else if (!my.isEqualNode(their)) my.replaceWith(their);
  });
  for (const extra of mine.slice(theirs.length)) extra.remove();
}

/** Sets text only where it differs, so that a screen reader or a selection is left in peace. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon from icons.ts, drawn in the colour of the text. */
export function icon(paths: string, size = 16): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 16 16", width: size, height: size }))
    svg.setAttribute(name, String(value));
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", paths);
  svg.append(path);
  return svg;
}
