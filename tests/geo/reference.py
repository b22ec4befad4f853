"""The rules of `geo/`, read off a whole trace at once: slow, scalar, without any state.

Written from the rules, not from the engine: every question is asked of the whole list again. A
trace is everything a vehicle sent, in any order; a stop is looked at alone. What of the rules is
about several stops at once (rivals, stops at one place) is not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from geo.cleaning import Limits
from geo.distance import metres
from geo.model import Ms, Ping, Stop
from geo.proof import VisitRule
from geo.track import World


class Fix(NamedTuple):
    ts: Ms
    heard: Ms
    lat: float
    lon: float
    speed: float | None
    error: float


class Seen(NamedTuple):
    """A visit, as far as two engines must agree on it."""

    stop_id: str
    arrived_at: Ms
    departed_at: Ms | None
    inferred: bool


def fixes(pings: Sequence[Ping]) -> list[Fix]:
    """Each place and time once, in time order."""
    unique = {
        Fix(
            p.ts,
            p.received_at or 0,
            p.lat,
            p.lon,
            p.speed_mps if p.speed_mps is not None and 0 <= p.speed_mps <= 150 else None,
            p.accuracy_m if p.accuracy_m is not None and p.accuracy_m > 0 else 0.0,
        )
        for p in pings
    }
    return sorted(unique, key=lambda f: (f.ts, f.heard, f.lat, f.lon))


def is_reachable(a: Fix, b: Fix, limits: Limits) -> bool:
    moved = metres(a.lat, a.lon, b.lat, b.lon)
    elapsed = b.ts - a.ts or (b.heard - a.heard if a.heard and b.heard else 0)
    return moved <= limits.noise_m or moved <= limits.max_mps * elapsed / 1000


def good_fixes(trace: Sequence[Fix], limits: Limits) -> list[Fix]:
    """What is left when those that cannot be reached are taken out."""
    kept: list[Fix] = []
    index = 0
    while index < len(trace):
        fix = trace[index]
        if not kept or is_reachable(kept[-1], fix, limits):
            kept.append(fix)
            index += 1
            continue
        run = [fix]
        while not _agrees(run, limits):
            follower = trace[index + len(run)] if index + len(run) < len(trace) else None
            if (
                follower is None
                or is_reachable(kept[-1], follower, limits)
                or not is_reachable(run[-1], follower, limits)
            ):
                break
            run.append(follower)
        if _agrees(run, limits):
            if len(kept) == 1 or is_reachable(kept[-2], run[0], limits):
                kept.pop()
            kept += run
        index += len(run)
    return kept


def _agrees(run: list[Fix], limits: Limits) -> bool:
    return len(run) >= limits.agreeing and run[-1].ts - run[0].ts >= limits.agreeing_ms


@dataclass(frozen=True)
class Reference:
    """One stop against the good fixes of one trace."""

    stop: Stop
    trace: Sequence[Fix]
    world: World

    @cached_property
    def edge(self) -> list[float]:
        fence = self.stop.fence
        return [metres(f.lat, f.lon, fence.lat, fence.lon) - fence.enter_m for f in self.trace]

    def is_inside(self, n: int) -> bool:
        error, radius = self.trace[n].error, self.stop.fence.enter_m
        grown = min(max(2 * error - radius, 0.0), 100.0)
        return self.edge[n] <= grown

    def is_beyond(self, n: int) -> bool:
        fence = self.stop.fence
        return self.edge[n] - self.trace[n].error > max(fence.exit_m - fence.enter_m, 0.0)

    def is_mute(self, n: int) -> bool:
        """Too coarse to say that it is here."""
        return self.trace[n].error > self.world.visits.coarse_m and not self.is_beyond(n)

    def visits(self) -> list[Seen]:
        """All visits of the stop, by arrival."""
        found: list[Seen] = []
        departed: tuple[Seen, Ms] | None = None
        n = 0
        while n < len(self.trace):
            if self.is_mute(n) or not self.is_inside(n):
                found += self._between(n)
                n += 1
                continue
            proof, gone = self._proof(n)
            if proof is None:
                if gone is None:
                    found += self._at_the_end(n)
                    break
                found += [*self._inferred(n, gone), *self._between(gone)]
                n = gone + 1
                continue
            arrived = self._arrived(n)
            if departed is not None and arrived - departed[1] <= self.rule.rejoin_ms:
                arrived = departed[0].arrived_at
                found.remove(departed[0])
            over, left_at = self._left(proof)
            if over is None:
                found.append(Seen(self.stop.stop_id, arrived, None, False))
                break
            departed = Seen(self.stop.stop_id, arrived, max(left_at, arrived + 1), False), left_at
            found += [departed[0], *self._between(over)]
            n = over + 1
        return sorted(found)

    @property
    def rule(self) -> VisitRule:
        return self.world.visits

    def _present(self, begin: int, end: int) -> list[int]:
        """Indices from `begin` to before `end` at which it was seen not to be beyond."""
        return [i for i in range(begin, end) if not self.is_beyond(i) and not self.is_mute(i)]

    def _proof(self, begin: int) -> tuple[int | None, int | None]:
        """The index that proves a stay begun at `begin`, or else the one that ends it."""
        rule, trace, fence = self.rule, self.trace, self.stop.fence
        linger = max(rule.linger_ms, 1000 * 4 * fence.enter_m / rule.walk_mps)
        for i in range(begin + 1, len(trace)):
            if self.is_beyond(i):
                return None, i
            present = self._present(begin, i + 1)
            if present[-1] != i:
                continue
            stood = self._stood(present) if self.is_inside(i) else 0
            if stood >= rule.dwell_ms or trace[i].ts - trace[begin].ts >= linger:
                return i, None
        return None, None

    def _stood(self, present: list[int]) -> float:
        """How long it has stood at the last of these: without rolling, and not while it drives."""
        rule, i = self.rule, present[-1]
        since, speed = self._stands_since(present), self.trace[i].speed
        says_it_drives = speed is not None and speed > rule.still_mps
        until = self.trace[present[-2] if says_it_drives else i].ts
        rolled = max(self._way(since, i) - rule.drift_m, 0.0)
        return until - self.trace[since].ts - round(rolled * 1000 / rule.still_mps)

    def _stands_since(self, present: list[int]) -> int:
        """Since which of these it has not moved."""
        since, drove = present[0], self._drives(present[0] - 1, present[0])
        for last, i in pairwise(present):
            a, b = self.trace[since], self.trace[i]
            reach = 50.0 if not b.error else min(50.0, max(25.0, 2 * b.error))
            reach = max(reach, 50.0 * (b.ts - a.ts) / self.rule.dwell_ms)
            drives = self._drives(last, i)
            if drives or drove or self._way(since, i) > reach:
                since = i
            drove = drives
        return since

    def _drives(self, last: int, i: int) -> bool:
        if last < 0:
            return False
        still, speed = self.rule.still_mps, self.trace[i].speed
        moved = self._way(last, i) > still * self._gap(last, i) / 1000
        return speed is not None and speed > still and moved

    def _way(self, i: int, j: int) -> float:
        a, b = self.trace[i], self.trace[j]
        return metres(a.lat, a.lon, b.lat, b.lon)

    def _gap(self, i: int, j: int) -> int:
        return self.trace[j].ts - self.trace[i].ts

    def _pace(self, n: int) -> float:
        """Between the two fixes before `n`."""
        if n < 2 or not self._gap(n - 2, n - 1):
            return 0.0
        return self._way(n - 2, n - 1) * 1000 / self._gap(n - 2, n - 1)

    def _took(self, i: int, j: int, share: float, known: float) -> int:
        """How long a share of the way from `i` to `j` took."""
        gap, way = self._gap(i, j), self._way(i, j)
        speed = way * 1000 / gap if gap else 0.0
        if gap > self.rule.sparse_ms:
            speed = max(speed, known, self.rule.pace_mps)
        return round(share * way * 1000 / speed) if speed else 0

    def _arrived(self, n: int) -> Ms:
        """When it crossed the edge before `n`, the first inside."""
        if n == 0 or self.edge[n - 1] <= 0:
            return self.trace[n].ts
        share = self.edge[n - 1] / (self.edge[n - 1] - min(self.edge[n], 0.0))
        known = max(self._pace(n), self.trace[n - 1].speed or 0.0)
        if self._stood_elsewhere(n):
            return self.trace[n].ts - self._took(n - 1, n, 1 - share, known)
        return min(self.trace[n - 1].ts + self._took(n - 1, n, share, known), self.trace[n].ts)

    def _stood_elsewhere(self, n: int) -> bool:
        """Whether what the way before `n` does not explain belongs to where it came from."""
        fence, gap = self.stop.fence, self._gap(n - 1, n)
        if gap < self.rule.sparse_ms:
            return False
        if self.edge[n - 1] <= max(fence.exit_m - fence.enter_m, 0.0):
            return False
        usual = self._gap(n - 2, n - 1) if n >= 2 else 0
        speed = self.trace[n - 1].speed
        if speed is None and not usual:
            return False
        stood = (self._pace(n) if speed is None else speed) <= self.rule.still_mps
        return stood and gap > (3 * usual if usual else self.rule.silent_ms)

    def _crossed(self, last: int, n: int) -> Ms:
        """When it crossed the edge between `last`, where it was present, and `n`."""
        inside, outside = -min(self.edge[last], 0.0), max(self.edge[n], 0.0)
        share = outside / (inside + outside) if outside else 0.0
        took = self._took(last, n, share, self.trace[n].speed or 0.0)
        return max(self.trace[n].ts - took, self.trace[last].ts)

    def _left(self, proof: int) -> tuple[int | None, Ms]:
        """The index that proves a departure after `proof`, and when it was."""
        run: list[int] = []
        last, crossed = proof, 0
        if not self.is_inside(proof):
            last, crossed = self._drifted(proof)
        for i in range(proof + 1, len(self.trace)):
            if self.is_mute(i):
                continue
            if not self.is_beyond(i):
                if self.is_inside(i):
                    crossed = 0
                elif not crossed or run:
                    crossed = self._crossed(last, i)
                elif self.trace[i].ts - crossed > self.rule.leave_ms:
                    crossed = self.trace[i].ts
                last, run = i, []
                continue
            run.append(i)
            crossed = crossed or self._crossed(last, i)
            enough = len(run) >= self.rule.leave_positions
            if enough and self._gap(run[0], i) >= self.rule.leave_ms:
                return i, crossed
        return None, 0

    def _drifted(self, proof: int) -> tuple[int, Ms]:
        """Where the proof itself lies between the edges: since when it was outside the inner."""
        begin = max(i for i in range(proof) if self.is_inside(i) and not self.is_mute(i))
        crossed, last = 0, begin
        for i in self._present(begin + 1, proof + 1):
            if not crossed:
                crossed = self._crossed(last, i)
            elif self.trace[i].ts - crossed > self.rule.leave_ms:
                crossed = self.trace[i].ts
            last = i
        return proof, crossed

    def _hidden(self, i: int, j: int, pace: float, ends: int = 1) -> tuple[int, int]:
        gap = self._gap(i, j)
        if gap < self.rule.sparse_ms:
            return 0, 0
        return max(gap - self._drove(self._way(i, j), pace, ends), 0), gap

    def _drove(self, way: float, pace: float, ends: int = 1) -> int:
        """Through streets near the stop, and as fast as before elsewhere."""
        rule, streets = self.rule, min(way, self.rule.streets_m * ends)
        elsewhere = (way - streets) / max(rule.pace_mps, pace)
        return round(1000.0 * (streets / rule.pace_mps + elsewhere))

    def _inferred(self, begin: int, gone: int) -> list[Seen]:
        """What an unproven stay was."""
        rule, trace, fence = self.rule, self.trace, self.stop.fence
        present = self._present(begin, gone)
        if begin == 0 and self._gap(begin, present[-1]) == 0:
            return []
        steps = list(pairwise([*present, gone]))
        if begin:
            near = self.edge[begin - 1] <= max(fence.exit_m - fence.enter_m, 0.0)
            dark = self._gap(begin - 1, begin) > rule.silent_ms and not near
            if not dark and not self._stood_elsewhere(begin):
                steps.insert(0, (begin - 1, begin))
        hidden = [self._hidden(i, j, self._pace(begin)) for i, j in steps]
        slack, gaps = sum(h for h, _ in hidden), sum(g for _, g in hidden)
        stood = any(
            (speed := trace[i].speed) is not None and speed <= rule.still_mps
            for i in present
            if self.is_inside(i)
        )
        stand = self._gap(self._stands_since(present), present[-1])
        enough = rule.infer_ms - stand, rule.infer_share * gaps
        asked = max(min(enough), rule.dwell_ms) if stood else max(enough)
        if stand >= rule.sparse_ms:
            asked = rule.dwell_ms
        if slack < asked:
            return []
        pace, after = self._pace(begin), max(self.edge[gone], 0.0)
        arrived = self._arrived(begin)
        left = max(trace[gone].ts - self._drove(after, pace), trace[present[-1]].ts, arrived + 1)
        return [Seen(self.stop.stop_id, arrived, left, True)]

    def _at_the_end(self, begin: int) -> list[Seen]:
        """Where it was seen to stand when nothing more was heard."""
        present = self._present(begin, len(self.trace))
        last, speed = present[-1], self.trace[present[-1]].speed
        moves = speed is not None and speed > self.rule.still_mps
        if moves or not self.is_inside(last):
            return []
        stood = self._gap(self._stands_since(present), last) > 0
        return [Seen(self.stop.stop_id, self._arrived(begin), None, True)] if stood else []

    def _between(self, n: int) -> list[Seen]:
        """A stop between two fixes outside."""
        rule, trace = self.rule, self.trace
        if n == 0 or not rule.infer_ms <= self._gap(n - 1, n) <= rule.silent_ms:
            return []
        fence = self.stop.fence
        in_the_band = self.edge[n] <= max(fence.exit_m - fence.enter_m, 0.0)
        if self.edge[n - 1] <= 0 or self.is_inside(n) or in_the_band or self._nearest(n) > 0:
            return []
        pace = self._pace(n)
        slack, gap = self._hidden(n - 1, n, pace, ends=2)
        if slack < max(rule.infer_ms, rule.unseen_share * gap):
            return []
        arrived = trace[n - 1].ts + self._drove(self.edge[n - 1], pace)
        left = trace[n].ts - self._drove(max(self.edge[n], 0.0), pace)
        return [Seen(self.stop.stop_id, arrived, left, True)] if arrived < left else []

    def _nearest(self, n: int) -> float:
        """How near the straight way from `n` - 1 to `n` comes to the edge, by walking along it."""
        a, b, fence = self.trace[n - 1], self.trace[n], self.stop.fence
        places = (
            (a.lat + share * (b.lat - a.lat), a.lon + share * (b.lon - a.lon))
            for share in (k / 5_000 for k in range(5_001))
        )
        return min(metres(*place, fence.lat, fence.lon) for place in places) - fence.enter_m


def visits(stops: Sequence[Stop], pings: Sequence[Ping], world: World) -> list[Seen]:
    """All visits of one vehicle, by stop and arrival."""
    trace = good_fixes(fixes(pings), world.limits)
    found = [v for stop in stops for v in Reference(stop, trace, world).visits()]
    return sorted(found, key=lambda v: (v.stop_id, v.arrived_at))
