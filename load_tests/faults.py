"""What goes wrong between a vehicle and the broker. Each fault has a rate; all zero is perfect.

The faults of the link draw from their own random numbers: the fleet drives the same roads whatever
goes wrong with its pings. (A cancelled order does change the road: nobody calls there.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from geo.model import Ping
from load_tests.places import Place
from orders.model import Stage

MIN_MS = 60_000
LATE_MIN = (1.0, 30.0)
BLIND_MIN = (1.0, 8.0)
FUTURE_MIN = (3.0, 480.0)
"""From just over the 120 s that are tolerated to a clock set to the wrong time zone."""

TELEPORT_M = (5_000.0, 60_000.0)

NEVER = 1 << 62
"""A time after all others, Unix ms."""

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Faults:
    """`*_rate`: share of pings (orders, attempts) concerned. Rates of one ping's place and clock
    exclude each other.
    """

    late_rate: float = 0.004
    duplicate_rate: float = 0.01
    reorder_rate: float = 0.01
    blind_rate: float = 0.0004
    """Share of pings after which the vehicle is out of coverage for some minutes."""
    silent_share: float = 0.03
    """Share of the vehicles that are silent at any time."""
    silent_s: float = 1_800.0
    """How long a silence lasts."""
    teleport_rate: float = 0.001
    zero_rate: float = 0.001
    future_rate: float = 0.0005
    garbage_rate: float = 0.0002
    """Undecodable records that come in addition, per good record."""
    error_rate: float = 0.03
    """Share of attempts at a stage that end in an error event."""
    wave_rate: float = 0.0
    """Share of reviews that fail while a wave of errors lasts: enough to make the error-rate alert
    fire.
    """
    wave_s: float = 1_200.0
    wave_every_s: float = 7_200.0
    wave_before_s: float = 900.0
    """How long before the start the first wave began: the rate is one over the last hour."""
    late_order_share: float = 0.01
    """Share of the first orders that are 48 h old, or become so within minutes of the start."""
    cancel_rate: float = 0.02
    return_rate: float = 0.005
    start: int = 0
    """Unix ms from which waves are counted."""

    def error_rate_at(self, stage: Stage, ts: int) -> float:
        since_s = (ts - self.start) / 1000 + self.wave_before_s
        if stage is not Stage.RECEIVED or not self.wave_rate or since_s < 0:
            return self.error_rate
        return self.wave_rate if since_s % self.wave_every_s < self.wave_s else self.error_rate


NO_FAULTS = Faults(
    late_rate=0,
    duplicate_rate=0,
    reorder_rate=0,
    blind_rate=0,
    silent_share=0,
    teleport_rate=0,
    zero_rate=0,
    future_rate=0,
    garbage_rate=0,
    error_rate=0,
    late_order_share=0,
    cancel_rate=0,
    return_rate=0,
)


class Silences:
    """One device's silences, one after the other, as long as `silent_s`, `silent_share` of the
    time.
    """

    def __init__(self, rng: random.Random, faults: Faults, start: int) -> None:
        self._rng = rng
        self._length = int(faults.silent_s * 1000)
        share = faults.silent_share
        self._gap = self._length * (1 - share) / share if share else None
        silent_now, elapsed = rng.random() < share, rng.random()
        self.since = start - int(elapsed * self._length) if silent_now else self._next(start)
        self.at_start = silent_now

    def _next(self, after: int) -> int:
        drawn = self._rng.expovariate(1.0)
        return NEVER if self._gap is None else after + int(drawn * self._gap)

    def covers(self, ts: int) -> bool:
        if ts <= self.since:
            return False
        if ts <= self.since + self._length:
            return True
        self.since = self._next(ts)
        return False


@dataclass
class Link:
    """The way of one vehicle's pings to the broker."""

    rng: random.Random
    faults: Faults
    ping_ms: int
    blind_until: int = 0
    held: list[Ping] = field(default_factory=list)

    def carry(self, ping: Ping) -> Iterator[tuple[int, bytes]]:
        """(arrival in Unix ms, record value) of each record that comes of this ping."""
        rng, faults, true_ts = self.rng, self.faults, ping.ts
        arrival = true_ts + int(rng.uniform(50, 800))
        garbage, late, reorder = rng.random(), rng.random(), rng.random()
        duplicate, blind = rng.random(), rng.random()
        sent = distorted(rng, ping, faults)
        if garbage < faults.garbage_rate:
            yield arrival, spoiled(rng, encode(ping))
        if true_ts < self.blind_until:
            self.held.append(sent)
            return
        if blind < faults.blind_rate:
            self.blind_until = true_ts + int(rng.uniform(*BLIND_MIN) * MIN_MS)
        if self.held:
            batch, self.held = [*self.held, sent], []
            yield arrival, encode(batch)
            return
        value = encode(sent)
        if duplicate < faults.duplicate_rate:
            yield arrival + int(rng.uniform(100, 20_000)), value
        if late < faults.late_rate:
            arrival += int(rng.uniform(*LATE_MIN) * MIN_MS)
        elif reorder < faults.reorder_rate:
            arrival += int(rng.uniform(1.2, 3.0) * self.ping_ms)
        yield arrival, value


def distorted(rng: random.Random, ping: Ping, faults: Faults) -> Ping:
    """The ping as a faulty receiver or clock would have it; at most one of the three."""
    chance = rng.random()
    if chance < faults.teleport_rate:
        far = [rng.choice((-1, 1)) * rng.uniform(*TELEPORT_M) for _ in range(2)]
        place = Place(ping.lat, ping.lon).moved(*far)
        return msgspec.structs.replace(ping, lat=place.lat, lon=place.lon)
    chance -= faults.teleport_rate
    if chance < faults.zero_rate:
        return msgspec.structs.replace(ping, lat=0.0, lon=0.0)
    chance -= faults.zero_rate
    if chance < faults.future_rate:
        ahead = int(rng.uniform(*FUTURE_MIN) * MIN_MS)
        return msgspec.structs.replace(ping, ts=ping.ts + ahead)
    return ping


def spoiled(rng: random.Random, value: bytes) -> bytes:
    """Bytes that are no message any more: cut off, of the wrong type, empty or noise."""
    kind = rng.randrange(4)
    if kind == 0:
        return value[: rng.randrange(1, len(value) - 1)]
    if kind == 1:
        return value.replace(b'"ts":', b'"ts":"yesterday","was":', 1)
    if kind == 2:
        return b""
    return rng.randbytes(24)
