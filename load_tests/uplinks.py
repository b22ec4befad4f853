"""The way from a device to us: late, twice, out of order, in batches, under a wrong clock."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from geo.model import Ms, Ping

HOUR_S = 3_600.0
ZONE_MS = 8 * 3_600_000
BLIND_S = (300.0, 5_400.0)
LATENCY_S = (0.3, 3.0)
FUTURE_S = (200.0, 90_000.0)
FROZEN_S = (60.0, 600.0)


@dataclass(frozen=True)
class Uplink:
    """Shares are of the pings, rates per hour."""

    lost: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    """Pings that are overtaken by some of those after them."""
    blind_per_h: float = 0.0
    """Times without coverage, after which all comes in one batch, in any order."""
    future: float = 0.0
    """A clock minutes to a day ahead, for one ping."""
    zone: float = 0.0
    """A clock exactly eight hours off, for one ping."""
    frozen_per_h: float = 0.0
    """Times in which the clock stands still while the vehicle does not."""


def carried(rng: random.Random, pings: Iterable[Ping], uplink: Uplink) -> list[Ping]:
    """The pings with `received_at`, in the order of their reception."""
    arrivals: list[tuple[Ms, float, Ping]] = []
    blind = frozen = (0, 0)
    last_ts: Ms | None = None
    for ping in pings:
        passed_s = 0.0 if last_ts is None else (ping.ts - last_ts) / 1000
        last_ts = ping.ts
        blind = _episode(rng, blind, ping.ts, uplink.blind_per_h * passed_s, BLIND_S)
        frozen = _episode(rng, frozen, ping.ts, uplink.frozen_per_h * passed_s, FROZEN_S)
        if rng.random() < uplink.lost:
            continue
        received_at = ping.ts + int(1000 * rng.uniform(*LATENCY_S))
        if ping.ts < blind[1]:  # all in one message (JT/T 808 0x0704), so at one time
            received_at = blind[1] + int(1000 * LATENCY_S[1])
        if rng.random() < uplink.late:
            received_at += int(1000 * rng.uniform(20, 180))
        sent = replace(_clocked(rng, ping, frozen, uplink), received_at=received_at)
        arrivals.append((received_at, rng.random(), sent))
        if rng.random() < uplink.twice:
            again = received_at + int(1000 * rng.uniform(1, 120))
            arrivals.append((again, rng.random(), replace(sent, received_at=again)))
    return [ping for _, _, ping in sorted(arrivals, key=lambda a: a[:2])]


def _episode(
    rng: random.Random, now: tuple[Ms, Ms], ts: Ms, chance_h: float, length_s: tuple[float, float]
) -> tuple[Ms, Ms]:
    """The episode that lasts, or a new one that begins here with this chance."""
    if ts < now[1] or rng.random() >= chance_h / HOUR_S:
        return now
    return ts, ts + int(1000 * rng.uniform(*length_s))


def _clocked(rng: random.Random, ping: Ping, frozen: tuple[Ms, Ms], uplink: Uplink) -> Ping:
    if ping.ts < frozen[1]:
        return replace(ping, ts=frozen[0])
    chance = rng.random()
    if chance < uplink.future:
        return replace(ping, ts=ping.ts + int(1000 * rng.uniform(*FUTURE_S)))
    if chance < uplink.future + uplink.zone:
        return replace(ping, ts=ping.ts + rng.choice((-1, 1)) * ZONE_MS)
    return ping
