from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from stream.merge import Merge


@dataclass(frozen=True)
class Received:
    """As much of a record as a merge looks at."""

    topic: str
    timestamp: int
    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    value: bytes | None = None


def lists(topic: str, *times: int) -> list[Received]:
    return [Received(topic, at) for at in times]


def taken(merge: Merge, **read_until: int) -> list[tuple[str, list[int]]]:
    return [(t, [r.timestamp for r in records]) for t, records in merge.ready(read_until)]


def test_records_of_two_topics_go_in_the_order_of_their_arrival() -> None:
    merge = Merge(("pings", "plans"))
    merge.add("pings", lists("pings", 1, 2, 5, 6))
    merge.add("plans", lists("plans", 3))
    assert taken(merge, pings=9, plans=9) == [("pings", [1, 2]), ("plans", [3]), ("pings", [5, 6])]
    assert merge.size == 0


def test_a_record_waits_for_an_input_that_is_behind() -> None:
    merge = Merge(("pings", "plans"))
    merge.add("pings", lists("pings", 1, 5))
    assert taken(merge, pings=5, plans=3) == [("pings", [1])]
    assert merge.holds("pings")
    merge.add("plans", lists("plans", 4))
    assert taken(merge, pings=5, plans=4) == [("plans", [4])]
    assert taken(merge, pings=5, plans=9) == [("pings", [5])]


def test_at_equal_times_the_topic_named_first_goes_first() -> None:
    merge = Merge(("plans", "pings"))
    merge.add("pings", lists("pings", 4))
    merge.add("plans", lists("plans", 4))
    assert taken(merge, pings=9, plans=9) == [("plans", [4]), ("pings", [4])]


def test_a_single_topic_waits_for_nobody() -> None:
    merge = Merge(("signals",))
    merge.add("signals", lists("signals", 7, 8))
    assert taken(merge, signals=0) == [("signals", [7, 8])]


times = st.lists(st.integers(0, 50), min_size=1, max_size=12).map(sorted)


@given(st.lists(times, max_size=4), st.lists(times, max_size=4))
def test_whatever_came_in_is_sorted_by_time(one: list[list[int]], two: list[list[int]]) -> None:
    merge = Merge(("a", "b"))
    flat_one, flat_two = sorted(sum(one, [])), sorted(sum(two, []))
    for topic, flat, cuts in (("a", flat_one, one), ("b", flat_two, two)):
        for part in cuts:
            merge.add(topic, lists(topic, *flat[: len(part)]))
            flat = flat[len(part) :]
    out = [(at, topic) for topic, records in taken(merge, a=99, b=99) for at in records]
    assert out == sorted([(at, "a") for at in flat_one] + [(at, "b") for at in flat_two])
