from __future__ import annotations

from itertools import accumulate
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.life import ACTIVE
from alerts.model import Alert, State
from alerts.rules import HOUR_MS, WORLD
from alerts.watch import Fact, Watch, next_wake, step, wake
from geo.model import Rejected
from orders.model import Age, Aged, Closed, Opened, Outcome, Signal, Stage
from tests.alerts.timeline import notices, play
from tests.builders import T0, aged, at, opened, outcome

MINUTE = 60_000


@st.composite
def an_order(draw: st.DrawFn) -> list[Signal]:
    """An order as the orders core tells it: opened, ages that alternate, perhaps an end."""
    beginning = T0 - draw(st.sampled_from([0, 1, 47, 48, 49])) * HOUR_MS
    signals: list[Signal] = [Opened("order:o1", beginning, T0)]
    now = known = T0
    for _ in range(draw(st.integers(0, 8))):
        now = known + 15 * MINUTE + draw(st.integers(0, 5 * MINUTE))
        for age in draw(st.lists(st.sampled_from(OLD), min_size=1, max_size=2, unique=True)):
            signals.append(Aged("order:o1", known + 15 * MINUTE, now, age))
            now += draw(st.integers(1, 40 * MINUTE))
        known = now - draw(st.integers(0, 5 * MINUTE))
        signals.append(Aged("order:o1", known, now, Age.FRESH))
    if draw(st.booleans()):
        end = now + draw(st.integers(0, 3 * HOUR_MS))
        stage = draw(st.sampled_from([Stage.SIGNED, Stage.CANCELLED, Stage.RETURNED]))
        late = draw(st.sampled_from([0, 2 * HOUR_MS]))
        signals.append(Closed("order:o1", end, end + late, stage))
    return signals


OLD = (Age.NO_VEHICLE, Age.DEVICE_SILENT, Age.PARKED, Age.FEED_LAG, Age.OUR_LAG)


@st.composite
def a_stage(draw: st.DrawFn) -> list[Signal]:
    """Bursts of outcomes, some late, with pauses up to hours."""
    burst = st.tuples(st.integers(0, 90 * MINUTE), st.integers(1, 12), st.integers(0, 12))
    signals: list[Signal] = []
    now = T0
    for pause, attempts, errors in draw(st.lists(burst, max_size=8)):
        now += pause
        late = draw(st.sampled_from([0, 0, 70 * MINUTE]))
        for i in range(attempts):
            order = f"o{len(signals)}"
            ts = max(now - late, T0)
            signals.append(
                Outcome("stage:outbound", ts, now, order, Stage.OUTBOUND, 1, i >= errors)
            )
    return signals


stories = st.one_of(an_order(), a_stage())


def _facts_and_state(signals: list[Signal], *, punctual: bool) -> tuple[Watch | None, list[Fact]]:
    return play(signals, until=END, punctual=punctual)


END = T0 + 100 * HOUR_MS


@given(stories, st.data())
def test_signals_told_again_change_no_notice(signals: list[Signal], data: st.DataObject) -> None:
    doubled: list[Signal] = []
    for i, signal in enumerate(signals):
        again = data.draw(st.lists(st.integers(0, i), max_size=2))
        # A repetition reaches us now: only what it says is old.
        doubled += [signal, *(signals[k] for k in again)]
    times = list(accumulate((s.reported_at for s in doubled), max))
    state, facts = None, list[Fact]()
    for now, signal in zip(times, doubled, strict=True):
        state, woken = play([], until=now, state=state)
        state, made = step(state, signal, now, WORLD)
        facts += [*woken, *made]
    facts += play([], until=END, state=state)[1]

    assert notices(facts) == notices(play(signals, until=END)[1])


@given(stories)
def test_notices_are_numbered_upwards_and_resolved_only_after_firing(
    signals: list[Signal],
) -> None:
    _, facts = play(signals, until=END)

    before: dict[str, Alert] = {}
    for fact in facts:
        assert isinstance(fact, Alert)
        last = before.get(fact.alert_id)
        if last is not None:
            assert (fact.episode, fact.seq) >= (last.episode, last.seq)
        if fact.state is State.RESOLVED:
            assert last is not None
            assert last.state in {*ACTIVE, State.RESOLVED}
        before[fact.alert_id] = fact
    numbers = [(n.alert_id, n.episode, n.seq) for n in notices(facts)]
    assert len(numbers) == len(set(numbers))


@given(stories)
def test_a_late_wake_gives_the_state_and_the_alerts_of_a_punctual_one(
    signals: list[Signal],
) -> None:
    state, facts = play(signals, until=END)
    late_state, late = play(signals, until=END, punctual=False)

    def timeless(made: list[Fact]) -> list[Fact]:
        return [replace(f, reported_at=0) if isinstance(f, Alert) else f for f in made]

    def shown_once(made: list[Fact]) -> list[Fact]:
        """Without repetitions, which a late wake tells once."""
        kept: list[Fact] = []
        seen: dict[str, Alert] = {}
        for fact in timeless(made):
            assert isinstance(fact, Alert)
            plain = replace(fact, value=0, seq=0, sample=0, errors=0, orders=())
            if seen.get(fact.alert_id) != plain:
                kept.append(replace(fact, value=0, sample=0, errors=0, orders=(), seq=0))
            seen[fact.alert_id] = plain
        return kept

    assert late_state == state
    assert shown_once(late) == shown_once(facts)
    assert {repr(f) for f in timeless(late)} <= {repr(f) for f in timeless(facts)}


@given(stories, st.integers(0, 40))
def test_a_state_survives_the_wire_at_any_point(signals: list[Signal], point: int) -> None:
    state, _ = play(signals[:point])
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Watch | None)

    assert again == state
    rest = signals[point:]
    assert play(rest, until=END, state=again) == play(rest, until=END, state=state)


@settings(max_examples=50)
@given(stories, st.integers(0, 40), st.integers(0, 200 * HOUR_MS))
def test_a_wake_makes_progress_and_an_early_one_changes_nothing(
    signals: list[Signal], point: int, delay_ms: int
) -> None:
    state, _ = play(signals[:point])
    if state is None or (due := next_wake(state)) is None:
        return

    assert wake(state, due - 1, WORLD) == (state, ())
    left, _ = wake(state, due + delay_ms, WORLD)

    after = None if left is None else next_wake(left)
    assert after is None or after > due + delay_ms


@given(stories, st.randoms(use_true_random=False), st.lists(st.integers(0, 60), min_size=1))
def test_signals_in_any_order_and_at_any_time_are_taken(
    signals: list[Signal], random: Random, hours: list[int]
) -> None:
    random.shuffle(signals)
    state: Watch | None = None
    for i, signal in enumerate(signals):
        now = T0 + hours[i % len(hours)] * HOUR_MS
        state, _ = step(state, signal, now, WORLD)
        if state is not None:
            state, _ = wake(state, now + HOUR_MS, WORLD)
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Watch | None)
    assert play([], until=END + 100 * HOUR_MS, state=state, punctual=False)


def test_a_signal_of_the_wrong_scope_is_refused() -> None:
    wrong = replace(opened(), scope="stage:outbound")

    detail = "stage:outbound is no order: scope"
    assert step(None, wrong, T0, WORLD) == (None, (Rejected("wrong_scope", detail),))


def test_a_signal_that_came_to_another_scope_is_refused() -> None:
    state, _ = play([opened()])

    after, facts = step(state, opened(order_id="o2"), T0, WORLD)

    detail = "order:o2 is no order: scope and came to order:o1"
    assert (after, facts) == (state, (Rejected("wrong_scope", detail),))


def test_a_step_first_does_what_was_due() -> None:
    state, _ = play([opened()])

    _, facts = step(state, aged(50 * 60, Age.PARKED), at(50 * 3600), WORLD)

    assert [f.rule for f in facts if isinstance(f, Alert)] == ["lead_time_exceeded", "freshness"]


def test_a_scope_forgotten_by_its_own_step_starts_anew() -> None:
    state, _ = play([outcome(0)])

    after, facts = step(state, outcome(25 * 60), at(25 * 3600), WORLD)

    assert (facts, after) == ((), play([outcome(25 * 60)])[0])
