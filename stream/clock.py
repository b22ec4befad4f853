"""What time it is for a partition.

`wall`: an event happens when the broker received its record, so stepping the same records again,
after a crash, gives the same states. Deadlines follow the wall clock, but only as far as the input
has been read: after an outage nothing is declared silent before its waiting pings have been looked
at.

`event`: the greatest event time seen, for replays of the past. With several inputs it is the time
of the one that is furthest behind, so that a fast replay of orders does not outrun their vehicles;
an input that has had nothing for six seconds no longer holds the others back.
"""

from __future__ import annotations

import time

from geo.model import Ms

IDLE_MS = 6_000
"""Two checkpoints of the vehicles agent, whose facts orders wait for."""
FUTURE_MS = 120_000
"""An event time further ahead of the broker's clock than this is a broken clock and moves
nothing."""


class EventClock:
    """The event time of one partition; never runs backwards."""

    def __init__(self, newest: dict[str, Ms], keepers: frozenset[str]) -> None:
        self._newest = newest
        self._keepers = keepers
        self._heard: dict[str, Ms] = {}
        self._wall: Ms = 0
        self.now: Ms = 0

    def hear(self, topic: str, at: Ms, appended: Ms) -> Ms:
        """An event of time `at` came in on `topic`, whose record reached the broker at `appended`.

        Returns the time of its arrival: its own, even where a slower input holds the clock back.
        """
        if at > appended + FUTURE_MS:
            return self.now
        if at > self._newest.get(topic, 0):
            self._newest[topic] = at
            if topic in self._keepers:
                self._heard[topic] = self._wall
                self._follow()
        return max(self.now, at)

    def settle(self, wall: Ms) -> None:
        """Tell the clock the time on the wall, so that it stops waiting for idle inputs."""
        self._wall = max(self._wall, wall)
        self._follow()

    def _follow(self) -> None:
        known = [topic for topic in self._keepers if topic in self._newest]
        active = [t for t in known if self._wall - self._heard.get(t, 0) < IDLE_MS]
        if active:
            self.now = max(self.now, min(self._newest[t] for t in active))
        elif known:
            self.now = max(self.now, *(self._newest[t] for t in known))


def wall_ms() -> Ms:
    """What time it is for everybody else."""
    return time.time_ns() // 1_000_000
