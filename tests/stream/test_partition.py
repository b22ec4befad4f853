from __future__ import annotations

from dataclasses import replace

from msgspec import json

from geo.model import Ms
from stream.letters import DeadLetter
from stream.metrics import Cells
from stream.partition import EPOCH_SHIFT, Checkpoint, Marker, Partition, Shown
from stream.topics import DEAD_LETTERS, partition_of
from tests.stream.toy import (
    INPUT,
    NOTES,
    OTHER,
    PARTITIONS,
    SUMS,
    TOY,
    A,
    Add,
    B,
    Note,
    Rec,
    Sum,
    Tally,
    add,
    key_in,
    partition,
)

REV = 5_000 << EPOCH_SHIFT
"""Of a new partition, before its first answer."""


def take(owned: Partition) -> Checkpoint:
    taken = owned.take()
    assert taken is not None
    return taken


def letters(checkpoint: Checkpoint) -> list[DeadLetter]:
    rows = checkpoint.outputs.get((DEAD_LETTERS, 0), [])
    return [json.decode(value, type=DeadLetter) for _, value in rows]


def sums(checkpoint: Checkpoint) -> list[Sum]:
    rows = [row for (topic, _), rows in checkpoint.outputs.items() if topic == SUMS for row in rows]
    return [json.decode(value, type=Sum) for _, value in rows]


def notes(checkpoint: Checkpoint) -> list[str]:
    at = (NOTES, partition_of("reader", PARTITIONS))
    return [json.decode(value, type=Note).text for _, value in checkpoint.outputs.get(at, [])]


def test_a_checkpoint_holds_outputs_changed_states_and_offsets() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(7), add(8, amount=2)])
    checkpoint = take(owned)
    assert sums(checkpoint) == [Sum(A, REV + 1, 1), Sum(A, REV + 2, 3)]
    assert notes(checkpoint) == [f"{A} is 1", f"{A} is 3"]
    assert checkpoint.states == [(A, REV + 2, Tally(A, 3, at=1_000))]
    assert checkpoint.marker == Marker(5_000, REV + 2, {INPUT: 9}, {})


def test_of_answers_only_the_last_is_for_redis() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0), add(1, amount=99)])
    assert take(owned).shown == {A: Shown(REV + 2, json.encode(Sum(A, REV + 2, 100)), open=False)}


def test_an_output_goes_to_the_partition_of_its_key() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0)])
    assert take(owned).outputs.keys() == {(SUMS, 0), (NOTES, partition_of("reader", PARTITIONS))}


def test_nothing_new_makes_no_checkpoint() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0)])
    assert (owned.take() is None, owned.take()) == (False, None)


def test_input_that_says_nothing_still_moves_the_offset() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, amount=0)])
    checkpoint = take(owned)
    assert (checkpoint.outputs, checkpoint.marker.offsets) == ({}, {INPUT: 1})


def test_the_next_checkpoint_holds_only_what_changed_since() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, A), add(1, B)])
    owned.take()
    owned.take_in(INPUT, [add(2, B)])
    assert take(owned).states == [(B, REV + 3, Tally(B, 2, at=1_000))]


def test_records_below_the_offset_are_skipped() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0), add(1)])
    taken = owned.take_in(INPUT, [add(0), add(1), add(2)])
    assert (taken, owned.states[A].total, owned.offsets) == (1, 3, {INPUT: 3})


def test_a_list_that_is_covered_whole_moves_nothing_back() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(5)])
    owned.take_in(INPUT, [add(2)])
    assert (owned.states[A].total, owned.offsets) == (1, {INPUT: 6})


def test_each_input_has_an_offset_of_its_own() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(5)])
    owned.take_in(OTHER, [add(2)])
    assert (owned.states[A].total, owned.offsets) == (2, {INPUT: 6, OTHER: 3})


def test_a_forgotten_key_leaves_a_tombstone_and_begins_anew() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, amount=5), add(1, amount=0)])
    assert take(owned).states == [(A, 0, None)]
    owned.take_in(INPUT, [add(2)])
    assert owned.states == {A: Tally(A, 1, at=1_000)}


def test_a_new_owner_goes_on_where_the_checkpoint_ends() -> None:
    before = partition()
    before.take_in(INPUT, [add(0), add(1)])
    checkpoint = take(before)
    after = Partition(TOY, 0, PARTITIONS, Cells())
    after.begin(checkpoint.states, checkpoint.marker, wall=6_000_000)
    after.take_in(INPUT, [add(0), add(1), add(2)])
    assert sums(take(after)) == [Sum(A, (6_000 << EPOCH_SHIFT) + 1, 3)]


def owner_after(marker: Marker, wall: Ms) -> Partition:
    owned = Partition(TOY, 0, PARTITIONS, Cells())
    owned.begin((), marker, wall)
    return owned


def test_an_epoch_is_above_the_last_owners_though_the_clock_went_back() -> None:
    assert owner_after(Marker(7_000, 7_000 << EPOCH_SHIFT, {}, {}), wall=5_000_000).epoch == 7_001


def test_an_epoch_is_above_the_last_rev_though_that_overflowed_its_count() -> None:
    overflown = Marker(7_000, (7_002 << EPOCH_SHIFT) + 5, {}, {})
    assert owner_after(overflown, wall=5_000_000).epoch == 7_003


def test_an_epoch_is_at_least_the_seconds_on_the_wall() -> None:
    assert owner_after(Marker(7, 7 << EPOCH_SHIFT, {}, {}), wall=5_000_000).epoch == 5_000


def test_a_stray_key_is_handed_to_its_owner_untouched() -> None:
    owned, stray = partition(), key_in(2)
    owned.take_in(INPUT, [add(0, stray)])
    checkpoint = take(owned)
    value = json.encode(Add(stray, 1))
    assert (checkpoint.outputs, checkpoint.states) == (
        {(INPUT, 2): [(stray.encode(), value)]},
        [],
    )


def test_a_stray_key_that_is_held_here_stays_here() -> None:
    owned, stray = partition(), key_in(2)
    owned.begin([(stray, 1, Tally(stray, 4))], None, wall=5_000_000)
    owned.take_in(INPUT, [add(0, stray)])
    assert owned.states[stray].total == 5


def test_a_refusal_becomes_a_dead_letter_and_changes_nothing() -> None:
    owned = partition()
    record = add(3, amount=-4)
    owned.take_in(INPUT, [record])
    checkpoint = take(owned)
    letter = DeadLetter(
        reason="negative",
        detail="-4",
        topic=INPUT,
        partition=0,
        offset=3,
        key=None,
        value=record.value,
        size=len(record.value or b""),
        rejected_at=1_000,
    )
    assert (letters(checkpoint), checkpoint.states) == ([letter], [])


def test_what_cannot_be_decoded_becomes_a_dead_letter_and_the_rest_goes_on() -> None:
    owned = partition()
    owned.take_in(INPUT, [Rec(0, b"?"), add(1)])
    checkpoint = take(owned)
    assert [letter.reason for letter in letters(checkpoint)] == ["unreadable"]
    assert owned.states[A].total == 1


def test_an_exception_of_the_core_costs_one_message_and_keeps_its_traceback() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0), add(1, amount=13), add(2)])
    (letter,) = letters(take(owned))
    assert (letter.reason, letter.offset) == ("failed", 1)
    assert letter.traceback.endswith("ValueError: thirteen\n")
    assert owned.states[A].total == 2


def test_of_an_array_only_the_refused_element_is_kept() -> None:
    owned = partition()
    owned.take_in(INPUT, [Rec(0, json.encode([Add(A, 1), Add(A, -1), Add(B, 1)]))])
    (letter,) = letters(take(owned))
    assert letter.value == json.encode(Add(A, -1))
    assert (owned.states[A].total, owned.states[B].total) == (1, 1)


def test_a_deadline_runs_once_when_its_time_has_come() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, wake_at=2_000)])
    ran = [owned.wake(1_999), owned.wake(2_500), owned.wake(9_999)]
    assert (ran, notes(take(owned))) == ([0, 1, 0], [f"{A} is 1", f"{A} woke at 2500"])


def test_a_deadline_that_moved_on_does_not_run_at_its_old_time() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, wake_at=2_000), add(1, wake_at=3_000)])
    assert (owned.wake(2_500), owned.wake(3_000)) == (0, 1)


def test_a_forgotten_key_is_not_woken() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, wake_at=2_000), add(1, amount=0)])
    assert owned.wake(9_000) == 0


def test_loaded_states_have_their_deadlines() -> None:
    owned = Partition(TOY, 0, PARTITIONS, Cells())
    owned.begin([(A, 1, Tally(A, 1, wake_at=2_000))], None, wall=5_000_000)
    assert owned.wake(2_000) == 1


def test_no_more_deadlines_run_at_once_than_asked() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, A, wake_at=2_000), add(1, B, wake_at=2_000)])
    assert (owned.wake(2_000, limit=1), owned.wake(2_000, limit=1), owned.wake(2_000)) == (1, 1, 0)


def test_a_deadline_that_raises_is_told_and_does_not_come_again() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, amount=666, wake_at=2_000)])
    owned.wake(2_000)
    (letter,) = letters(take(owned))
    assert (letter.reason, letter.key, letter.topic) == ("failed", A.encode(), "toy.state")
    assert owned.wake(9_000) == 0


def test_by_the_event_clock_a_deadline_runs_before_the_event_that_passes_it() -> None:
    owned = partition()
    owned.follow_events()
    owned.take_in(INPUT, [add(0, A, ts=1_000, wake_at=2_000), add(1, B, ts=3_000)])
    assert notes(take(owned)) == [f"{A} is 1", f"{A} woke at 3000", f"{B} is 1"]


def test_by_the_event_clock_no_deadline_runs_between_the_messages_of_one_record() -> None:
    """What a device held back comes as one array, and is worked out together."""
    owned = partition()
    owned.follow_events()
    batch = [Add(A, 1, ts=1_000, wake_at=1_500), Add(B, 1, ts=2_000), Add(B, 1, ts=2_100)]
    record = Rec(0, json.encode(batch))
    owned.take_in(INPUT, [record, add(1, B, ts=2_200)])
    assert notes(take(owned)) == [
        f"{A} is 1",
        f"{B} is 1",
        f"{B} is 2",
        f"{A} woke at 2200",
        f"{B} is 3",
    ]


def test_redis_is_given_again_what_is_newer_than_its_mark_and_committed() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, A), add(1, B)])
    both = {
        A: Shown(REV + 1, json.encode(Sum(A, REV + 1, 1)), open=True),
        B: Shown(REV + 2, json.encode(Sum(B, REV + 2, 1)), open=True),
    }
    assert owned.missing(0, REV + 2, now=0) == both
    assert owned.missing(REV + 1, REV + 2, now=0) == {B: both[B]}
    assert owned.missing(0, REV + 1, now=0) == {A: both[A]}


def test_a_forgotten_key_is_not_missed_in_redis() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0), add(1, amount=0)])
    assert owned.missing(0, owned.rev, now=0) == {}


def test_states_are_counted_by_kind_as_they_change_and_go() -> None:
    owned = partition()
    owned.take_in(INPUT, [add(0, A), add(1, B, 2), add(2, A)])
    even = owned.census["orders", "even"]
    owned.take_in(INPUT, [add(3, B, 0)])
    assert (even, owned.census["orders", "even"], owned.census["orders", "odd"]) == (2, 1, 0)


def grouped(*records: Rec) -> dict[tuple[str, str], float]:
    """How the messages of records are counted by the last letter of their key."""
    groups = ("order_outcomes", lambda add: add.key[-1])
    inputs = {INPUT: replace(TOY.inputs[INPUT], groups=groups)}
    owned = partition(role=replace(TOY, inputs=inputs))
    owned.take_in(INPUT, records)
    [metric] = [m for m in owned.cells.collect() if m.name == "milepost_order_outcomes"]
    found = {(s.labels["stage"], s.labels["outcome"]): s.value for s in metric.samples}
    return {group: count for group, count in found.items() if count}


def test_messages_are_counted_by_group_and_by_what_became_of_them() -> None:
    other = key_in(1)
    sent = [add(0), add(1), add(2, amount=-1), add(3, B, amount=13), add(4, other)]
    assert grouped(*sent, Rec(5, b"unreadable")) == {
        (A[-1], "accepted"): 2,
        (A[-1], "refused"): 1,
        (B[-1], "refused"): 1,
        (other[-1], "forwarded"): 1,
    }
