// The session's hands: one WebSocket at a time, and one clock.

import { BEARER, type Frame, SUBPROTOCOL } from "./protocol.ts";
import { type Action, Session } from "./session.ts";

const TICK_MS = 250;

export class Connection {
  readonly session = new Session(Date.now(), Math.random);
  #socket: WebSocket | null = null;
  readonly #token: string;
  readonly #take: (frame: Frame) => void;

  constructor(token: string, take: (frame: Frame) => void) {
    this.#token = token;
    this.#take = take;
    this.#perform(this.session.start());
    setInterval(() => this.#perform(this.session.tick(Date.now())), TICK_MS);
    // A phone that wakes, or a network that is back: timers may have slept, so look at once.
    const wake = () => this.#perform(this.session.tick(Date.now()));
    document.addEventListener("visibilitychange", wake);
    addEventListener("online", () => this.retry());
  }

  /** By the server's clock. */
  now(): number {
    return Date.now() + this.session.offsetMs;
  }

  subscribe(topic: string): void {
    this.#perform(this.session.subscribe(topic));
  }

  unsubscribe(topic: string): void {
    this.#perform(this.session.unsubscribe(topic));
  }

  resync(topic: string): void {
    this.#perform(this.session.resync(topic));
  }

  retry(): void {
    this.#perform(this.session.retry(Date.now()));
  }

  #perform(actions: readonly Action[]): void {
    for (const action of actions)
      switch (action.do) {
        case "open":
          this.#open();
          break;
        case "drop":
          this.#drop();
          break;
        case "send":
          this.#socket?.send(action.text);
          break;
        case "take":
          this.#take(action.frame);
      }
  }

  #open(): void {
    this.#drop();
    const socket = new WebSocket(address(location), [SUBPROTOCOL, BEARER + this.#token]);
    // What an abandoned socket still says is not for us.
    const mine = (handle: () => void) => () => {
      if (this.#socket === socket) handle();
    };
    socket.onopen = mine(() => this.#perform(this.session.opened(Date.now())));
    socket.onmessage = ({ data }) =>
      mine(() => this.#perform(this.session.heard(data as string, Date.now())))();
    socket.onclose = ({ code }) =>
      mine(() => this.#perform(this.session.closed(code, Date.now())))();
    this.#socket = socket;
  }

  #drop(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}

/** `/ws` of the host and folder the page came from. */
export function address(page: Pick<Location, "protocol" | "host" | "pathname">): string {
  const folder = page.pathname.replace(/[^/]*$/, "");
  return `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}${folder}ws`;
}
