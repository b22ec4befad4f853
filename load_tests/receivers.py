"""What a receiver makes of the truth: fixes with errors that last, reflections and dark tunnels.

How this works. The error of a fix is a Gauss-Markov process each way: it has a size and a memory,
both given by how much of the sky is seen, so consecutive fixes of a parked vehicle agree and yet
wander. On top come reflections (a jump to one side for up to a minute), and after a tunnel a bad
first fix that settles. Sizes are those of ordinary receivers: open sky 2 to 5 m, between
houses 5 to 15 m, reflections up to 150 m, a memory of half a minute to minutes.

The numbers were set before any engine was run on them, and are not to be changed to please one.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from load_tests.roads import XY, Ride, Sky


class Error(NamedTuple):
    """Of one kind of sky: standard deviation each way, memory, and reflections."""

    metres: float
    memory_s: float
    jumps_per_h: float
    jump_m: tuple[float, float] = (30.0, 150.0)
    jump_s: tuple[float, float] = (5.0, 60.0)


ERRORS = {
    Sky.OPEN: Error(2.5, 60.0, 0.0),
    Sky.STREET: Error(5.0, 40.0, 0.5),
    Sky.YARD: Error(4.0, 120.0, 0.5),
    Sky.CANYON: Error(12.0, 30.0, 6.0),
    Sky.TUNNEL: Error(20.0, 20.0, 0.0),
}
STANDS_MPS = 0.2
SETTLING_M, SETTLING_S = (30.0, 80.0), 20.0
"""The error of the first fix after a tunnel, and how fast it goes."""
PARKED_S = 120.0
"""Who stands longer turns the engine off."""
FALLS_ASLEEP_S, WAKES_S = (20.0, 60.0), (5.0, 45.0)
"""After the stop, and after it moved off: a cold start until the first fix."""


@dataclass(frozen=True)
class Receiver:
    """How often and how well a device looks."""

    every_s: float = 10.0
    noise: float = 1.0
    """Factor on all errors; 0 is a perfect receiver."""
    jumps: bool = False
    speed_share: float = 0.75
    """Of the devices, that report speed; of the others half say -1."""
    accuracy_share: float = 0.75
    parked_s: float | None = None
    """A device that reports on change says that it stopped, then only so often that it stands."""
    dies: bool = False
    """Its battery dies in every fifth call and comes back on the road."""
    sleeps: bool = False
    """It is off while the vehicle is parked, and awake again when that has moved off."""


class Fix(NamedTuple):
    second: float
    place: XY
    speed_mps: float | None
    accuracy_m: float | None


class _Wander:
    """The error of one receiver as it goes on."""

    def __init__(self, rng: random.Random, receiver: Receiver) -> None:
        self._rng = rng
        self._receiver = receiver
        self._last: float | None = None
        self._x = self._y = 0.0
        """In standard deviations, so that a change of sky changes the size at once."""
        self._jump: tuple[float, float, float] = (0.0, 0.0, -math.inf)
        self._dark_at = -math.inf

    def at(self, second: float, sky: Sky) -> XY:
        error, rng = ERRORS[sky], self._rng
        passed = math.inf if self._last is None else second - self._last
        keep = math.exp(-passed / error.memory_s)
        fresh = math.sqrt(1.0 - keep * keep)
        self._x = keep * self._x + fresh * rng.gauss(0, 1)
        self._y = keep * self._y + fresh * rng.gauss(0, 1)
        self._last = second
        size = error.metres * self._receiver.noise
        dx, dy = self._jumped(second, passed, error)
        settling = self._settling(second)
        return self._x * size + dx + settling, self._y * size + dy + settling / 2

    def dark(self, second: float) -> None:
        self._dark_at = second

    def _jumped(self, second: float, passed: float, error: Error) -> XY:
        if not self._receiver.jumps:
            return 0.0, 0.0
        rng = self._rng
        dx, dy, until = self._jump
        if second < until:
            return dx, dy
        if rng.random() < error.jumps_per_h * min(passed, 300.0) / 3600:
            away, turn = rng.uniform(*error.jump_m), rng.uniform(0, 2 * math.pi)
            dx, dy = away * math.cos(turn), away * math.sin(turn)
            self._jump = (dx, dy, second + rng.uniform(*error.jump_s))
            return dx, dy
        return 0.0, 0.0

    def _settling(self, second: float) -> float:
        since = second - self._dark_at
        if since > 5 * SETTLING_S:
            return 0.0
        return self._rng.uniform(*SETTLING_M) * math.exp(-since / SETTLING_S)


def fixes(rng: random.Random, ride: Ride, receiver: Receiver) -> list[Fix]:
    """What the device records of the ride, in time order."""
    wander = _Wander(rng, receiver)
    tells_speed, tells_accuracy = (
        rng.random() < receiver.speed_share,
        rng.random() < receiver.accuracy_share,
    )
    unknown = None if rng.random() < 0.5 else -1.0
    dead = _dead(rng, ride) if receiver.dies else []
    dead += _asleep(rng, ride) if receiver.sleeps else []
    found: list[Fix] = []
    second = ride.seconds[0] + rng.uniform(0, receiver.every_s)
    while second < ride.end:
        (x, y), speed, sky = ride.at(second)
        if sky is Sky.TUNNEL and speed > 0.5:
            wander.dark(second)
        elif not any(since <= second < until for since, until in dead) and not _is_kept_back(
            receiver, ride, found, second
        ):
            dx, dy = wander.at(second, sky)
            told = (
                max(0.0, speed + rng.gauss(0, 0.3))
                if speed > STANDS_MPS
                else abs(rng.gauss(0, 0.1))
            )
            size = ERRORS[sky].metres * max(receiver.noise, 0.2)
            found.append(
                Fix(
                    round(second, 3),
                    (x + dx, y + dy),
                    round(told, 2) if tells_speed else unknown,
                    round(size * rng.lognormvariate(0, 0.3), 1) if tells_accuracy else None,
                )
            )
        second += receiver.every_s * rng.uniform(0.9, 1.1)
    return found


def _is_kept_back(receiver: Receiver, ride: Ride, found: list[Fix], second: float) -> bool:
    """A device that reports on change keeps quiet while it stands as it stood before."""
    if receiver.parked_s is None or not found:
        return False
    before = found[-1].second
    stands = all(ride.at(moment)[1] <= STANDS_MPS for moment in (before, second))
    return stands and second - before < receiver.parked_s


def _dead(rng: random.Random, ride: Ride) -> list[tuple[float, float]]:
    return [
        (rng.uniform(since + 0.3 * (until - since), until), until + rng.uniform(60, 600))
        for _, since, until in ride.holds
        if rng.random() < 0.2
    ]


def _asleep(rng: random.Random, ride: Ride) -> list[tuple[float, float]]:
    return [
        (since + rng.uniform(*FALLS_ASLEEP_S), until + rng.uniform(*WAKES_S))
        for since, until in pairwise(ride.seconds)
        if until - since > PARKED_S
    ]
