// The items of one topic, kept as the server keeps them.
//
// How this works. Of each item the highest `rev` counts. A delta with `prev` applies to exactly that
// revision; when another is held something was missed, and the whole topic is asked for again. A
// snapshot is gathered aside and put in place when it is complete, so that a list does not empty
// and fill before a person's eyes at each reconnection.

import type { AlertSaid, Delta, Snap } from "./protocol.ts";

interface Kept<T> {
  readonly rev: number;
  readonly data: T;
}

/** `gap`: unsubscribe and subscribe again; what comes until the next snapshot is not for us. */
export type Outcome = "applied" | "known" | "gap";

export class Items<T> {
  #kept = new Map<string, Kept<T>>();
  #arriving: Map<string, Kept<T>> | null = null;
  #resyncing = false;

  get size(): number {
    return this.#kept.size;
  }

  get(id: string): T | undefined {
    return this.#kept.get(id)?.data;
  }

  *values(): Generator<T> {
    for (const { data } of this.#kept.values()) yield data;
  }

  snap(frame: Snap): void {
    if (frame.part === 0 || !this.#arriving) this.#arriving = new Map();
    this.#resyncing = false;
    for (const { id, rev, data } of frame.items) this.#arriving.set(id, { rev, data: data as T });
  }

  /** The snapshot is complete. Returns what was held before and is in it no more. */
  synced(): T[] {
    const before = this.#kept;
    if (!this.#arriving) return [];
    this.#kept = this.#arriving;
    this.#arriving = null;
    return [...before].filter(([id]) => !this.#kept.has(id)).map(([, { data }]) => data);
  }

  delta(frame: Delta): Outcome {
    if (this.#resyncing) return "known";
    const items = this.#arriving ?? this.#kept;
    const mine = items.get(frame.id);
    if (mine && frame.rev <= mine.rev) return "known";
    if (frame.prev == null) {
      items.set(frame.id, { rev: frame.rev, data: frame.set as T });
      return "applied";
    }
    if (mine?.rev !== frame.prev) {
      this.#resyncing = true;
      return "gap";
    }
    items.set(frame.id, { rev: frame.rev, data: { ...mine.data, ...frame.set } });
    return "applied";
  }

  /** Alerts are always whole. */
  whole({ id, rev, data }: AlertSaid): Outcome {
    const items = this.#arriving ?? this.#kept;
    const mine = items.get(id);
    if (mine && rev <= mine.rev) return "known";
    items.set(id, { rev, data: data as T });
    return "applied";
  }

  forget(id: string): void {
    this.#kept.delete(id);
  }
}
