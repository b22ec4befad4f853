// All the dispatcher's page knows, as the frames leave it. No clock, no DOM.

import { Items } from "../items.ts";
import {
  type Frame,
  hasEnded,
  type OrderDetail,
  type OrderSummary,
  type Row,
  type ToldAlert,
} from "../protocol.ts";
import { Trails } from "./trails.ts";

export type Part = "orders" | "alerts" | "fleet" | "detail";

const ORDER = "order:";
const KEEP_ENDED_MS = 30 * 60_000;
const KEEP_CLEARED_MS = 10 * 60_000;

export class Model {
  readonly fleet = new Map<string, Row>();
  readonly trails = new Trails();
  readonly synced = new Set<string>();
  /** What changed since somebody last looked; who looks, clears. */
  readonly changed = new Set<Part>();
  /** Topics of which something was missed. Who resubscribes, clears. */
  readonly missed = new Set<string>();
  refused: string | null = null;
  newestAt = 0;
  #orders = new Items<OrderSummary>();
  #alerts = new Items<ToldAlert>();
  #detail = new Items<OrderDetail>();
  #detailTopic: string | null = null;
  /** Ended or cleared, and no longer in the server's snapshots. */
  #endedBefore = new Map<string, OrderSummary>();
  #clearedBefore = new Map<string, ToldAlert>();

  *orders(): Generator<OrderSummary> {
    yield* this.#orders.values();
    for (const [id, order] of this.#endedBefore) if (!this.#orders.get(id)) yield order;
  }

  *alerts(): Generator<ToldAlert> {
    yield* this.#alerts.values();
    for (const [id, alert] of this.#clearedBefore) if (!this.#alerts.get(id)) yield alert;
  }

  order(id: string): OrderSummary | undefined {
    return this.#orders.get(id) ?? this.#endedBefore.get(id);
  }

  /** The open order with its milestones; undefined: none, not here yet, or not known. */
  get detail(): OrderDetail | undefined {
    return this.#detailTopic ? this.#detail.get(this.#detailTopic.slice(ORDER.length)) : undefined;
  }

  get detailIsSynced(): boolean {
    return this.#detailTopic !== null && this.synced.has(this.#detailTopic);
  }

  /** Which order's milestones are wanted. Returns [topic to leave, topic to join]. */
  look(orderId: string | null): [string | null, string | null] {
    const [before, next] = [this.#detailTopic, orderId === null ? null : ORDER + orderId];
    if (before === next) return [null, null];
    if (before) this.synced.delete(before);
    this.#detail = new Items();
    this.#detailTopic = next;
    this.refused = null;
    this.changed.add("detail");
    return [before, next];
  }

  take(frame: Frame): void {
    switch (frame.op) {
      case "snap":
        return this.#items(frame.topic)?.snap(frame);
      case "synced":
        return this.#complete(frame.topic);
      case "delta":
      case "alert": {
        const items = this.#items(frame.topic);
        const outcome = frame.op === "delta" ? items?.delta(frame) : items?.whole(frame);
        if (outcome === "gap") this.missed.add(frame.topic);
        if (outcome === "applied")
          this.#news(frame.topic, (frame.op === "delta" ? frame.set : frame.data) as Dated);
        return;
      }
      case "pos":
        return this.#positions(frame.v as readonly Row[], frame.now);
      case "err":
        if (frame.topic) this.refused = frame.topic;
        this.changed.add("detail");
    }
  }

  /** Lets go of what ended or cleared long ago. */
  prune(now: number): void {
    for (const order of [...this.orders()])
      if (hasEnded(order) && now - order.reported_at > KEEP_ENDED_MS) {
        this.#orders.forget(order.order_id);
        this.#endedBefore.delete(order.order_id);
        this.changed.add("orders");
      }
    for (const alert of [...this.alerts()])
      if (alert.state === "resolved" && now - alert.reported_at > KEEP_CLEARED_MS) {
        this.#alerts.forget(alert.alert_id);
        this.#clearedBefore.delete(alert.alert_id);
        this.changed.add("alerts");
      }
  }

  #items(topic: string): Items<unknown> | undefined {
    if (topic === "orders") return this.#orders;
    if (topic === "alerts") return this.#alerts;
    return topic === this.#detailTopic ? this.#detail : undefined;
  }

  #complete(topic: string): void {
    this.synced.add(topic);
    const gone = this.#items(topic)?.synced() ?? [];
    if (topic === "orders") {
      for (const order of gone as OrderSummary[])
        if (hasEnded(order)) this.#endedBefore.set(order.order_id, order);
      for (const order of this.#orders.values()) this.#heard(order);
    }
    if (topic === "alerts")
      for (const alert of gone as ToldAlert[])
        if (alert.state === "resolved") this.#clearedBefore.set(alert.alert_id, alert);
    this.changed.add(part(topic));
  }

  #news(topic: string, set: Dated): void {
    this.#heard(set);
    this.changed.add(part(topic));
  }

  #heard({ reported_at }: Dated): void {
    if (reported_at) this.newestAt = Math.max(this.newestAt, reported_at);
  }

  #positions(rows: readonly Row[], now: number): void {
    for (const row of rows) {
      const [vehicle, ts, lat, lon] = row;
      const mine = this.fleet.get(vehicle);
      if (mine && ts < mine[1]) continue;
      this.fleet.set(vehicle, row);
      this.trails.add(vehicle, ts, lon, lat);
      // A device whose clock is ahead must not make all look fresh.
      this.newestAt = Math.max(this.newestAt, Math.min(ts, now));
    }
    this.changed.add("fleet");
  }
}

interface Dated {
  readonly reported_at?: number;
}

function part(topic: string): Part {
  return topic === "orders" || topic === "alerts" || topic === "fleet" ? topic : "detail";
}
