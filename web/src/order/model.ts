// All the customer's page knows of its order, as the frames leave it. No clock, no DOM.

import { Items } from "../items.ts";
import { type Frame, isUnderWay, type OrderDetail, type Row } from "../protocol.ts";

export interface Place {
  readonly vehicle: string;
  readonly ts: number;
  readonly lat: number;
  readonly lon: number;
  readonly heading: number | null;
  readonly moving: boolean;
}

export class OrderModel {
  readonly topic: string;
  synced = false;
  refused = false;
  /** Something was missed. Who subscribes again, clears. */
  missed = false;
  #items = new Items<OrderDetail>();
  #row: Row | null = null;

  constructor(readonly id: string) {
    this.topic = `order:${id}`;
  }

  get order(): OrderDetail | undefined {
    return this.#items.get(this.id);
  }

  /** The newest known place of the vehicle, while it is the customer's to see. */
  get place(): Place | null {
    const { order } = this;
    if (!order || !isUnderWay(order)) return null;
    const row = this.#row?.[0] === order.vehicle_id ? this.#row : null;
    if (row && (!order.seen || row[1] >= order.seen.ts)) {
      const [vehicle, ts, lat, lon, , heading, motion] = row;
      return { vehicle, ts, lat, lon, heading, moving: motion === "moving" };
    }
    const vehicle = order.vehicle_id ?? "";
    return order.seen && { vehicle, ...order.seen, heading: null, moving: false };
  }

  take(frame: Frame): void {
    if (!("topic" in frame) || frame.topic !== this.topic) return;
    switch (frame.op) {
      case "snap":
        return this.#items.snap(frame);
      case "synced":
        this.#items.synced();
        this.synced = true;
        return;
      case "delta":
        this.missed = this.#items.delta(frame) === "gap";
        return;
      case "pos":
        for (const row of frame.v as readonly Row[]) this.#row = row;
        return;
      case "err":
        this.refused = true;
    }
  }
}
