"""The engine against the rules read off a whole trace, and against itself in another order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from geo.cleaning import Reason
from geo.model import Ping, VehicleFact, VehiclePlan, Visit
from geo.offline import Outcome, offline
from geo.past import Past
from geo.proof import VisitRule
from geo.track import Track, World, next_wake, step, wake
from tests.builders import at, ping, plan, stop
from tests.geo.reference import Seen, visits

STOPS = (stop("a"), stop("b", 1_200), stop("c", 1_950, exit_m=100), stop("far", -5_000))


APART = (stop("a"), stop("far", 5_900, exit_m=100))
"""No two of them on one way between two positions: the reference looks at each stop alone."""


@st.composite
def traces(draw: st.DrawFn) -> list[Ping]:
    """A vehicle that stands, crawls and drives, sampled unevenly, with noise and wrong fixes."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    second, north_m, speed = 0.0, rng.choice([-3_000.0, -1_000.0, 0.0]), 0.0
    pauses = draw(st.sampled_from([(1,), (5, 10), (10, 30, 60), (60, 120, 300), (1, 10, 60, 300)]))
    tells_speed, noise_m = draw(st.booleans()), draw(st.sampled_from([0.0, 3.0, 15.0]))
    found = []
    for _ in range(draw(st.integers(1, 120))):
        pause = rng.choice(pauses)
        if rng.random() < 0.2:
            speed = rng.choice([0.0, 0.0, 0.0, 1.0, 5.0, 15.0, -5.0, -15.0])
        second += pause
        north_m = max(-6_000.0, min(6_000.0, north_m + speed * pause))
        wrong_m = rng.choice([300.0, 5_000.0, 90_000.0]) if rng.random() < 0.03 else 0.0
        made = ping(second, north_m + rng.gauss(0, noise_m) + wrong_m)
        if tells_speed:
            made = replace(made, speed_mps=rng.choice([abs(speed), abs(speed), -1.0]))
        if rng.random() < 0.2:
            made = replace(made, accuracy_m=float(rng.choice([5, 40, 120, 900])))
        found.append(made)
    return found


worlds = st.builds(
    lambda leave_positions, dwell_ms: World(
        visits=VisitRule(dwell_ms=dwell_ms, leave_positions=leave_positions)
    ),
    st.sampled_from([2, 3, 9]),
    st.sampled_from([30_000, 60_000, 180_000]),
)


def seen(outcome: Outcome) -> list[Seen]:
    found = [Seen(v.stop_id, v.arrived_at, v.departed_at, v.inferred) for v in outcome.visits]
    return sorted(found, key=lambda v: (v.stop_id, v.arrived_at))


@settings(max_examples=300, deadline=None)
@given(trace=traces(), world=worlds)
def test_visits_are_those_of_the_whole_trace(trace: list[Ping], world: World) -> None:
    assert seen(offline(APART, trace, world)) == visits(APART, trace, world)


@settings(max_examples=200, deadline=None)
@given(trace=traces(), data=st.data())
def test_any_order_and_any_repetition_ends_in_the_same_visits(
    trace: list[Ping], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(trace), max_size=10))
    shuffled = data.draw(st.permutations([*trace, *repeated]))
    punctual, any_order = offline(STOPS, trace), offline(STOPS, shuffled)
    assert any_order.visits_alike() == punctual.visits_alike()
    assert any_order.taken == punctual.taken
    assert any_order.rejected - punctual.rejected == Counter(
        {Reason.DUPLICATE: len(repeated)} if repeated else {}
    )


@settings(max_examples=100, deadline=None)
@given(trace=traces(), data=st.data())
def test_batches_that_were_held_back_end_in_the_same_visits(
    trace: list[Ping], data: st.DataObject
) -> None:
    """As a device does that leaves a dead area: the newest first, then its memory, or in turn."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(trace)), max_size=6)))
    batches = [trace[a:b] for a, b in zip([0, *cuts], [*cuts, len(trace)], strict=True)]
    order = data.draw(st.permutations(batches))
    arrived = [p for batch in order for p in batch]
    assert offline(STOPS, arrived).visits_alike() == offline(STOPS, trace).visits_alike()


Event = Ping | VehiclePlan


def told(events: Sequence[Event], *, through_bytes: bool = False) -> list[VehicleFact]:
    """All facts, with those of due wakes between."""
    world, state, facts = World(), None, list[VehicleFact]()
    for event in events:
        now = at(90_000)
        if state is not None and state.odd is not None and next_wake(state) is not None:
            state, said = wake(state, state.odd.due_at, world)
            facts += said
        state, said = step(state, event, now, world)
        facts += said
        if through_bytes and state is not None:
            state = packed_and_unpacked(state)
    return facts


def packed_and_unpacked(state: Track) -> Track:
    """As the engine saves it: the past in a record of its own."""
    track = msgspec.msgpack.encode(replace(state, past=None))
    past = msgspec.msgpack.encode(state.past)
    kept = msgspec.msgpack.decode(past, type=Past | None)
    again = replace(msgspec.msgpack.decode(track, type=Track), past=kept)
    assert again == state
    return again


@settings(max_examples=60, deadline=None)
@given(trace=traces(), half=st.integers(0, 60), late=st.integers(0, 5))
def test_a_track_that_went_through_bytes_at_any_point_goes_on_the_same(
    trace: list[Ping], half: int, late: int
) -> None:
    before, after = trace[:half], trace[half:]
    fewer = plan(STOPS[1], seconds=(before[-1].ts - at(0)) / 1000 if before else 0)
    events: list[Event] = [plan(*STOPS), *before[late:], fewer, *before[:late], *after]
    assert told(events, through_bytes=True) == told(events)


@settings(max_examples=100, deadline=None)
@given(trace=traces(), split=st.integers(0, 120))
def test_a_plan_that_comes_after_the_pings_finds_the_same_visits(
    trace: list[Ping], split: int
) -> None:
    fleet = VehiclePlan("v1", at(0), STOPS)
    early = told([fleet, *trace])
    late = told([*trace[:split], fleet, *trace[split:]])
    assert standing(late) == standing(early)


def standing(facts: Sequence[VehicleFact]) -> list[Seen]:
    found: dict[str, Visit] = {}
    for fact in facts:
        if isinstance(fact, Visit):
            found.pop(fact.supersedes or "", None)
            found[fact.visit_id] = fact
    return sorted(
        (
            Seen(v.stop_id, v.arrived_at, v.departed_at, v.inferred)
            for v in found.values()
            if not v.retracted
        ),
        key=lambda v: (v.stop_id, v.arrived_at),
    )


def test_the_whole_trace_is_within_what_is_remembered() -> None:
    """Else the properties above would compare what was archived."""
    outcome = offline(STOPS, [ping(s * 10, s) for s in range(0, 1_000)])
    assert Reason.ARCHIVED not in outcome.rejected
