// A `ws` server that does what `milepost push` does for customers of one order each: the same
// tokens, the same fields, the same frames; a client that does not read is cut off, not conflated.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import Redis from "ioredis";
import { WebSocketServer } from "ws";

const task = JSON.parse(process.argv[2]);
const COUNT = 1000, BLOCK_MS = 500, GATHER_MS = 5;
const UNDER_WAY = new Set(["outbound", "in_transit"]);
const FULL_BYTES = 65_536;
const PLAIN = { compress: false, binary: false };

const orders = new Map(); // by id: those somebody follows
const redis = new Redis(task.redis, { enableAutoPipelining: true });

function ordersOf(protocols) {
  const bearer = protocols.split(",").map((p) => p.trim()).find((p) => p.startsWith("gps.bearer."));
  const [head, body, signature] = (bearer ?? "").slice("gps.bearer.".length).split(".");
  const wanted = createHmac("sha256", task.secret).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature ?? "", "base64url");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
  if (JSON.parse(Buffer.from(head, "base64url")).alg !== "HS256") return null;
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  if (claims.aud !== "milepost" || !claims.sub || !(claims.exp * 1000 > Date.now())) return null;
  return claims.orders;
}

// Keep a newer answer; gives what has changed for a customer.
function take(order, status) {
  const rev = status.rev;
  if (rev <= order.rev) return null;
  delete status.rev;
  delete status.errors;
  delete status.last_error;
  if (!UNDER_WAY.has(status.stage)) status.seen = status.vehicle_id = null;
  const changed = {};
  const before = order.fields;
  for (const name in status) {
    const now = status[name], then = before[name];
    if (now === then) continue;
    if (typeof now === "object" && JSON.stringify(now) === JSON.stringify(then)) continue;
    changed[name] = now;
  }
  order.rev = rev;
  order.fields = status;
  return changed;
}

function change(value) {
  const status = JSON.parse(value);
  const id = status.order_id;
  const order = orders.get(id);
  if (order === undefined) return;
  const prev = order.rev;
  const set = take(order, status);
  if (set === null || order.clients.size === 0) return;
  const frame = JSON.stringify({ op: "delta", topic: `order:${id}`, id, rev: order.rev, set, prev });
  for (const client of order.clients) {
    if (client.bufferedAmount > FULL_BYTES) client.terminate();
    else client.send(frame, PLAIN);
  }
}

async function subscribe(client, topic) {
  const id = topic.slice("order:".length);
  let order = orders.get(id); // From now on it takes changes.
  if (order === undefined) orders.set(id, (order = { rev: -1, fields: {}, clients: new Set() }));
  const held = await redis.hget(`mp:order:${id}`, "s");
  if (held !== null) take(order, JSON.parse(held));
  const items = order.rev < 0 ? [] : [{ id, rev: order.rev, data: order.fields }];
  order.clients.add(client);
  client.send(JSON.stringify({ op: "snap", topic, items, part: 0 }));
  client.send(JSON.stringify({ op: "synced", topic }));
}

function serve(client, request) {
  const allowed = ordersOf(request.headers["sec-websocket-protocol"] ?? "");
  if (allowed === null) return client.close(4001);
  const mine = new Set();
  client.on("message", (data) => {
    const asked = JSON.parse(data);
    const id = asked.topic?.slice("order:".length);
    if (asked.op === "hello") {
      client.send(JSON.stringify({ op: "hello", v: 1, orders: allowed, live: true }));
    } else if (allowed.includes(id)) {
      mine.add(id);
      subscribe(client, asked.topic);
    }
  });
  client.on("close", () => mine.forEach((id) => orders.get(id).clients.delete(client)));
}

async function follow() {
  const reader = new Redis(task.redis);
  const names = Array.from({ length: task.partitions }, (_, n) => `mp:feed:order:${n}`);
  const at = await Promise.all(
    names.map(async (name) => (await reader.xrevrange(name, "+", "-", "COUNT", 1))[0]?.[0] ?? "0-0"),
  );
  const wanted = ["COUNT", COUNT, "BLOCK", BLOCK_MS, "STREAMS", ...names];
  for (;;) {
    const found = (await reader.xread(...wanted, ...at)) ?? [];
    const began = performance.now();
    for (const [name, entries] of found) {
      for (const [, fields] of entries) change(fields[1]);
      at[names.indexOf(name)] = entries.at(-1)[0];
    }
    const left = Math.max(0, GATHER_MS - (performance.now() - began));
    await new Promise((done) => setTimeout(done, left));
  }
}

const http = createServer();
new WebSocketServer({
  server: http,
  path: "/ws",
  perMessageDeflate: false,
  clientTracking: false,
  handleProtocols: () => "gps.v1",
}).on("connection", serve);
http.listen({ port: task.port, host: "127.0.0.1", backlog: 1024 });
follow();
