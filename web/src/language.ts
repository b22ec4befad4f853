// Which language people read: theirs as the browser says, until they choose; then that one.

export type Language = "zh" | "en";
export interface Label {
  readonly zh: string;
  readonly en: string;
}

const KEY = "milepost.language";
const EVENT = "languagechosen";

let language: Language | null = null;

export function current(): Language {
  language ??= chosen() ?? preferred(navigator.languages);
  return language;
}

export function choose(next: Language): void {
  language = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden (private windows): then the choice lasts as long as the page.
  }
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  dispatchEvent(new Event(EVENT));
}

export function onLanguage(listener: () => void): void {
  addEventListener(EVENT, listener);
}

export function say(label: Label): string {
  return label[current()];
}

export function preferred(languages: readonly string[]): Language {
  const known = languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((tag) => tag === "zh" || tag === "en") === "zh" ? "zh" : "en";
}

function chosen(): Language | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "zh" || kept === "en" ? kept : null;
  } catch {
    return null;
  }
}
