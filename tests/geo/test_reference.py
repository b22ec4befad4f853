"""The engine against the rules read off a whole trace at once, slowly and without any state."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.distance import metres
from geo.model import Evidence, Ms, Ping, Rejected, Stop, VehicleFact, VehiclePlan, Visit
from geo.track import Track, World, next_wake, step, wake
from geo.visits import VisitRule
from tests.builders import T0, ping, plan, stop

Event = Ping | VehiclePlan

LAG_MS = 500
"""Every event reaches the engine this long after its time."""


def reference_visits(
    stop: Stop, order_id: str, trace: Sequence[Ping], rule: VisitRule
) -> list[Visit]:
    """All visits of one stop in a trace of accepted positions, arrivals and departures in turn."""
    fence, ts = stop.fence, [p.ts for p in trace]
    away = [metres(p.lat, p.lon, fence.lat, fence.lon) for p in trace]
    outside = [d > max(fence.enter_m, fence.exit_m) for d in away]
    indices = range(len(trace))

    def departure(begin: int) -> tuple[int, int] | None:
        """First run outside after `begin` that proves it, as (its first, the proving position)."""
        for end in range(begin + 1, len(trace)):
            run = next(i for i in range(end, -1, -1) if not outside[i]) + 1
            if end - run + 1 >= rule.leave_positions:
                return run, end
            if run <= end and ts[end] - ts[run] >= rule.leave_ms:
                return run, end
        return None

    def visit(begin: int, end: int, word: str, departed_at: Ms | None = None) -> Visit:
        return Visit(
            visit_id=f"v1:{stop.stop_id}:{order_id}:{ordinal}",
            vehicle_id="v1",
            stop_id=stop.stop_id,
            role=stop.role,
            arrived_at=ts[begin],
            reported_at=ts[end] + LAG_MS,
            evidence=Evidence(
                word, end - begin + 1, ts[begin], ts[end], min(away[begin : end + 1])
            ),
            departed_at=departed_at,
            order_id=order_id,
        )

    found: list[Visit] = []
    ordinal, start = 1, 0
    while True:
        begin = next((i for i in indices[start:] if away[i] <= fence.enter_m), None)
        if begin is None:
            return found
        gone = next((i for i in indices[begin:] if outside[i]), len(trace))
        proof = next((i for i in indices[begin:gone] if ts[i] >= ts[begin] + rule.dwell_ms), None)
        if proof is None:
            start = gone
            continue
        found.append(visit(begin, proof, "dwell"))
        left = departure(begin)
        if left is None:
            return found
        found.append(visit(begin, left[1], "left", ts[left[0]]))
        ordinal, start = ordinal + 1, left[1] + 1


def run(
    events: Sequence[Event], world: World, *, through_bytes: bool = False
) -> tuple[list[VehicleFact], list[Ping]]:
    """All facts with those of due wakes between, and the accepted positions."""
    state: Track | None = None
    facts: list[VehicleFact] = []
    accepted: list[Ping] = []
    for event in events:
        now = event.ts + LAG_MS
        due = next_wake(state) if state is not None else None
        if state is not None and due is not None and due <= now:
            state, said = wake(state, now, world)
            facts += said
        state, said = step(state, event, now, world)
        facts += said
        if state is not None and state.last is event:
            accepted.append(state.last)
        if through_bytes and state is not None:
            packed = msgspec.msgpack.encode(state)
            assert msgspec.msgpack.decode(packed, type=Track) == state
            state = msgspec.msgpack.decode(packed, type=Track)
    return facts, accepted


A, B, FAR = stop("a"), stop("b", 700, exit_m=100), stop("far", 30_000)

places = st.sampled_from([0, 90, 149, 151, 249, 251, 400, 560, 700, 840, 900, 1_500, 4_000])
"""Metres north: inside, between the radii and beyond, of A and of B, on both sides of each edge."""

jumps = st.tuples(st.sampled_from([0, 1, 10, 30, 59, 60, 61, 120, 1_500]), places)
journeys = st.tuples(st.integers(60, 1_800), st.integers(0, 31_000))
"""Seconds since the last ping, and a place; the second reaches FAR and uses up clearances."""


@st.composite
def traces(draw: st.DrawFn) -> list[Ping]:
    seconds, found = 0, []
    for pause, north_m in draw(st.lists(jumps | jumps | journeys, max_size=40)):
        seconds += pause
        speed_mps = draw(st.sampled_from([None, 0.0, 9.0]))
        found.append(ping(seconds, north_m, speed_mps=speed_mps))
    return found


worlds = st.builds(
    lambda leave_positions, dwell_ms: World(
        visits=VisitRule(dwell_ms=dwell_ms, leave_positions=leave_positions)
    ),
    st.sampled_from([2, 3, 9]),
    st.sampled_from([30_000, 60_000, 180_000]),
)


def seconds_of(trace: list[Ping]) -> float:
    return (trace[-1].ts - T0) / 1000 if trace else 0


def visits_at(stop_id: str, order_id: str, facts: Sequence[VehicleFact]) -> list[Visit]:
    found = [fact for fact in facts if isinstance(fact, Visit)]
    return [v for v in found if (v.stop_id, v.order_id) == (stop_id, order_id)]


@settings(max_examples=300)
@given(trace=traces(), world=worlds, data=st.data())
def test_visits_are_those_of_the_whole_trace(
    trace: list[Ping], world: World, data: st.DataObject
) -> None:
    split = data.draw(st.integers(0, len(trace)))
    before, after = trace[:split], trace[split:]
    late = plan(B, order_id="o2", seconds=seconds_of(before))
    facts, accepted = run([plan(A, B, FAR), *before, late, *after], world)
    for each in (A, B, FAR):
        found = visits_at(each.stop_id, "o1", facts)
        assert found == reference_visits(each, "o1", accepted, world.visits)
    unknown = sum(1 for p in accepted if any(p is b for b in before))
    known = accepted[max(0, unknown - 1) :]
    assert visits_at("b", "o2", facts) == reference_visits(B, "o2", known, world.visits)


@settings(max_examples=150)
@given(trace=traces(), data=st.data())
def test_restatements_in_between_change_nothing(trace: list[Ping], data: st.DataObject) -> None:
    events: list[Event] = [plan(A, B, FAR), *trace]
    _, accepted = run(events, World())
    kept = [e for e in events if isinstance(e, VehiclePlan) or any(e is a for a in accepted)]
    restated = [copy for e in kept for copy in [e] * data.draw(st.integers(1, 3), label="times")]
    plain, _ = run(kept, World())
    facts, _ = run(restated, World())
    assert [fact for fact in facts if not isinstance(fact, Rejected)] == plain


@settings(max_examples=150)
@given(trace=traces(), half=st.integers(0, 20), world=worlds)
def test_a_track_that_went_through_bytes_at_any_point_goes_on_the_same(
    trace: list[Ping], half: int, world: World
) -> None:
    fewer = plan(B, seconds=seconds_of(trace[:half]))
    events: list[Event] = [plan(A, B, FAR), *trace[:half], fewer, *trace[half:]]
    assert run(events, world, through_bytes=True)[0] == run(events, world)[0]
