"""A vehicle's calls at its planned stops, moved along by each position.

How this works. Planned stops are looked at only when the vehicle may have come near one: after
each look `clearance_m` says how far it may go from `anchor` without being inside any, and until
then a position costs one distance, however many stops there are. A look itself is at the stops
`near` by, so a vehicle may have thousands. Begun stays are looked at with every position.

Where fences overlap, a position counts for the stop it is deepest inside of. Within the error of a
position nobody can tell, and then the plan does: of one order's stops the first not yet visited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf

from msgspec import Struct

from geo.claims import Claim
from geo.cleaning import Trail
from geo.distance import metres
from geo.fences import GROWTH_MAX_M, band_m, clearance_m, edge_m, growth_m, passing_m
from geo.inferred import inferred_between, inferred_from
from geo.model import Fence, Id, Ms, Visit
from geo.proof import Approach, VisitRule, approach
from geo.spots import Spot
from geo.visits import Stay, begin, leaves, stays_on, visit_of

Key = tuple[str | None, str]
Near = tuple[int, Claim]

TELLING_M = 25.0
"""Two fences are told apart by a position no better than this: the error of GPS between houses."""


KEPT_MS = 3_600_000
"""How long a visit that is over is remembered for one that would continue it: that one has to prove
itself first."""


NEAR_M = 2_000.0
"""Stops further off than this are not looked at one by one until the vehicle has gone their way."""


class Calls(Struct, frozen=True, gc=False, array_like=True):
    """Where the vehicle is with its claims; follows from its positions in time order."""

    stays: tuple[Stay, ...] = ()
    left: tuple[Stay, ...] = ()
    """Visits that are over, for as long as a return would continue them."""
    seen: tuple[Key, ...] = ()
    """Claims that have been visited."""
    anchor: tuple[float, float] | None = None
    """Where the planned stops were last looked at; None asks for a look."""
    clearance_m: float = 0.0
    near: tuple[Near, ...] = ()
    """The claims that are near, each with its place in the list of the claims."""
    room_m: float = 0.0
    """How far one may go from the anchor before another is."""


def unlooked(calls: Calls) -> Calls:
    """Without what was found when the planned stops were last looked at: so calls are remembered,
    for it follows from the claims, and many claims may be near."""
    return Calls(calls.stays, calls.left, calls.seen)


def follow(
    calls: Calls,
    claims: Callable[[], tuple[Claim, ...]],
    way: Callable[[], Trail],
    spot: Spot,
    elapsed_ms: Ms,
    vehicle_id: Id,
    now: Ms,
    rule: VisitRule,
) -> tuple[Calls, Sequence[Visit]]:
    """The calls after one more position, and the visits that arrived, departed or went on. Asked
    seldom: `claims`, and `way` for the positions before it, the last of which is `elapsed_ms`
    old."""
    anchor, stays = calls.anchor, calls.stays
    away_m = inf if anchor is None else metres(anchor[0], anchor[1], spot.lat, spot.lon)
    if away_m < calls.clearance_m:
        if not stays:
            return calls, ()
        going = _going_on(stays, spot, rule)
        if going is not None:
            return _with_stays(calls, going), ()
    if not stays and elapsed_ms < rule.infer_ms:
        away = _still_away(calls, spot, calls.room_m - away_m)
        if away is not None:
            return away, ()
    return _Look(calls, claims, way, spot, elapsed_ms, vehicle_id, now, rule).taken(away_m)


def _with_stays(calls: Calls, stays: tuple[Stay, ...]) -> Calls:
    anchor, clearance = calls.anchor, calls.clearance_m
    return Calls(stays, calls.left, calls.seen, anchor, clearance, calls.near, calls.room_m)


def _still_away(calls: Calls, spot: Spot, room_m: float) -> Calls | None:
    """The calls after a position outside all that is near, with what is left of the room: most of
    those on the way to a stop. None: look closer."""
    if room_m <= 0.0:
        return None
    lat, lon, nearest = spot.lat, spot.lon, inf
    for _, claim in calls.near:
        if claim.until > spot.ts:
            edge = edge_m(claim.stop.fence, lat, lon)
            if edge <= GROWTH_MAX_M:
                return None
            if edge < nearest:
                nearest = edge
    clearance = min(clearance_m((nearest,)), room_m)
    return Calls((), calls.left, calls.seen, (lat, lon), clearance, calls.near, room_m)


def _going_on(stays: tuple[Stay, ...], spot: Spot, rule: VisitRule) -> tuple[Stay, ...] | None:
    """The stays after a position inside all of them that proves nothing new: most of the positions
    of a vehicle that stands at a stop. None: look closer."""
    if spot.error > rule.coarse_m:
        return None
    after = []
    for stay in stays:
        claim = stay.claim
        edge = edge_m(claim.stop.fence, spot.lat, spot.lon)
        if edge > 0.0 or claim.rivals:
            return None
        on = stays_on(stay, spot, edge, rule)
        if on.proof is not stay.proof:
            return None
        after.append(on)
    return tuple(after)


class _Look:
    """One position against all that is near it."""

    def __init__(
        self,
        calls: Calls,
        claims: Callable[[], tuple[Claim, ...]],
        way: Callable[[], Trail],
        spot: Spot,
        elapsed_ms: Ms,
        vehicle_id: Id,
        now: Ms,
        rule: VisitRule,
    ) -> None:
        self.calls = calls
        self._claims = claims
        self.way = way
        self.spot = spot
        self.elapsed_ms = elapsed_ms
        self.vehicle_id = vehicle_id
        self.now = now
        self.rule = rule
        self.stays: list[Stay] = []
        self.left = calls.left
        self.seen = calls.seen
        self.near = calls.near
        self.room_m = calls.room_m
        self.visits: list[Visit] = []

    @property
    def claims(self) -> tuple[Claim, ...]:
        return self._claims()

    def taken(self, away_m: float) -> tuple[Calls, list[Visit]]:
        """`away_m` lies between the anchor and the position."""
        calls, spot = self.calls, self.spot
        room_m, ended = calls.room_m - away_m, False
        for stay in calls.stays:
            after = self._moved(stay)
            if after is not None:
                self.stays.append(after)
                continue
            ended = True
            if all(claim.key != stay.key for _, claim in self.near):
                room_m = 0.0  # It was not among those to be looked at.
        anchor, clearance = calls.anchor, calls.clearance_m
        if ended or away_m >= clearance:
            clearance = self._look(room_m)
            anchor = (spot.lat, spot.lon)
        stays, left = tuple(self.stays), self.left
        if left and not stays:
            left = tuple(b for b in left if spot.ts - b.left_at <= KEPT_MS)
        now = Calls(stays, left, self.seen, anchor, clearance, self.near, self.room_m)
        return now, self.visits

    # Stays that have begun.

    def _moved(self, stay: Stay) -> Stay | None:
        """The stay after this position; None: it is over."""
        spot, rule, fence = self.spot, self.rule, stay.claim.stop.fence
        edge = edge_m(fence, spot.lat, spot.lon)
        if edge - spot.error > band_m(fence) or self._is_with_a_rival(stay, edge):
            return self._outside(stay, edge)
        if spot.error > rule.coarse_m:
            return stay
        after = stays_on(stay, spot, edge, rule)
        if after.proof and not stay.proof:
            return self._proven(after)
        return after

    def _proven(self, stay: Stay) -> Stay:
        """Tell the arrival, or, where the vehicle had hardly left, that it goes on."""
        for before in self.left:
            if before.key == stay.key and _goes_on(before, stay, self.rule):
                stay = _joined(before, stay)
        self.left = tuple(b for b in self.left if b.key != stay.key)
        if stay.key not in self.seen:
            self.seen = (*self.seen, stay.key)
        self.visits.append(visit_of(self.vehicle_id, stay, self.now, self.rule))
        return stay

    def _outside(self, stay: Stay, edge: float) -> Stay | None:
        rule = self.rule
        if not stay.proof:
            visit = inferred_from(self.vehicle_id, stay, self.spot, edge, self.now, rule)
            if visit is not None and _is_asked(stay.claim, visit, rule):
                self._add(visit, stay.key)
            return None
        after, over = leaves(stay, self.spot, edge, rule)
        if not over:
            return after
        self.visits.append(visit_of(self.vehicle_id, after, self.now, rule))
        recent = (b for b in self.left if self.spot.ts - b.left_at <= KEPT_MS)
        self.left = (*(b for b in recent if b.key != stay.key), after)
        return None

    def _is_with_a_rival(self, stay: Stay, edge: float) -> bool:
        if not stay.claim.rivals:
            return False
        rivals = self._rivals(stay.claim)
        return any(depth < 0.0 and depth + TELLING_M < edge for _, depth in rivals)

    # Stops where one may begin.

    def _look(self, room_m: float) -> float:
        """Begin a stay at each planned stop the position is inside of; gives the clearance.
        `room_m` is what is left of the room."""
        if room_m > 0.0:
            self.room_m = room_m
            return min(clearance_m([e for _, e in self._at(self.near)]), room_m)
        edges = self._at(enumerate(self.claims))
        self.room_m = clearance_m([edge for _, edge in edges if edge > NEAR_M])
        self.near = tuple(near for near, edge in edges if edge <= NEAR_M)
        return clearance_m([edge for _, edge in edges])

    def _at(self, several: Iterable[Near]) -> list[tuple[Near, float]]:
        """These claims with their edges, 0 inside; but for those of stays, which are looked at
        with every position."""
        spot, rule = self.spot, self.rule
        here = {stay.key for stay in self.stays}
        gap = rule.infer_ms <= self.elapsed_ms <= rule.silent_ms
        last = self.way().last if gap else None
        passed: list[tuple[float, Claim]] = []
        edges: list[tuple[Near, float]] = []
        ts, lat, lon = spot.ts, spot.lat, spot.lon
        for near in several:
            claim = near[1]
            if claim.until <= ts or (here and claim.key in here):
                continue
            fence = claim.stop.fence
            edge = edge_m(fence, lat, lon)
            if edge <= 0.0 or (edge <= GROWTH_MAX_M and edge <= growth_m(fence, spot.error)):
                if spot.error <= rule.coarse_m and self._is_due(claim, edge):
                    trail = self.way()
                    came = approach(trail.last, trail.before, rule)
                    self.stays.append(begin(claim, spot, edge, came, rule))
                else:
                    edges.append((near, 0.0))
                continue
            edges.append((near, edge))
            if last is not None and edge > band_m(fence):  # In the band it has not left.
                nearest = _passed_m(fence, last, spot, edge)
                if nearest <= 0.0:
                    passed.append((nearest, claim))
        if passed and last is not None:
            self._pass((last, spot), passed, approach(last, self.way().before, rule))
        return edges

    def _pass(
        self, ends: tuple[Spot, Spot], passed: list[tuple[float, Claim]], came: Approach
    ) -> None:
        """Of the fences between two positions the vehicle can have called at, the one it came
        nearest to the middle of."""
        open_ = [p for p in passed if self._is_next(p[1])]
        if not open_:
            return
        nearest, claim = min(open_, key=lambda p: p[0])
        visit = inferred_between(
            self.vehicle_id,
            claim,
            ends,
            nearest,
            came.pace_mps,
            self.now,
            self.rule,
        )
        if visit is not None and _is_asked(claim, visit, self.rule):
            self._add(visit, claim.key)

    def _is_due(self, claim: Claim, edge: float) -> bool:
        """Whether a stay may begin there, where others are at the same place or beside it."""
        if not self._is_next(claim):
            return False
        if not claim.rivals:
            return True
        own = self._rank(claim, edge)
        return all(
            depth >= 0.0 or own <= self._rank(rival, depth)
            if rival.order_id == claim.order_id is not None and abs(depth - edge) <= TELLING_M
            else depth >= 0.0 or edge <= depth + (TELLING_M if claim.order_id else 0.0)
            for rival, depth in self._rivals(claim)
        )

    def _is_next(self, claim: Claim) -> bool:
        """Of one order's stops at one place each is visited once, in turn; the last always."""
        if claim.after is not None:
            first = claim.order_id, claim.after
            if first not in self.seen or self._is_here(first):
                return False
        return not claim.before or claim.key not in self.seen or self._is_here(claim.key)

    def _is_here(self, key: Key) -> bool:
        """Still at that stop, or so shortly gone that a return continues the visit."""
        since = self.spot.ts - self.rule.rejoin_ms
        return any(s.key == key for s in self.stays) or any(
            s.key == key and s.left_at >= since for s in self.left
        )

    def _rank(self, claim: Claim, edge: float) -> tuple[bool, int]:
        """Before others: the one it is at, those not yet visited, those planned earlier."""
        key = claim.key
        visited = key in self.seen and all(stay.key != key for stay in self.stays)
        return visited, self.claims.index(claim)

    def _rivals(self, claim: Claim) -> list[tuple[Claim, float]]:
        spot = self.spot
        several = (self.claims[n] for n in claim.rivals)
        return [(c, edge_m(c.stop.fence, spot.lat, spot.lon)) for c in several if c.until > spot.ts]

    # Both.

    def _add(self, visit: Visit, key: Key) -> None:
        self.visits.append(visit)
        if key not in self.seen:
            self.seen = (*self.seen, key)


def _passed_m(fence: Fence, last: Spot, spot: Spot, edge: float) -> float:
    """How near the way between two positions outside came to the edge; positive: not inside."""
    way_m = metres(last.lat, last.lon, spot.lat, spot.lon)
    if edge > way_m or edge_m(fence, last.lat, last.lon) <= 0.0:
        return edge
    return passing_m(fence, last, spot)


def _is_asked(claim: Claim, visit: Visit, rule: VisitRule) -> bool:
    """Through a dwell, at least: what ended sooner was not called at for it."""
    assert visit.departed_at is not None
    begun = visit.departed_at >= claim.since - rule.back_ms
    return begun and visit.arrived_at + rule.dwell_ms < claim.until


def _goes_on(before: Stay, stay: Stay, rule: VisitRule) -> bool:
    return stay.arrived_at - before.left_at <= rule.rejoin_ms


def _joined(before: Stay, stay: Stay) -> Stay:
    return Stay(
        stay.claim,
        before.arrived_at,
        before.first_ts,
        stay.last,
        stay.anchor,
        before.positions + stay.positions,
        min(before.nearest_m, stay.nearest_m),
        before.came_from,
        before.pace_mps,
        proof=before.proof,
    )
