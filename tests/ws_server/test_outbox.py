from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tests.ws_server.builders import Reader, payload
from ws_server.outbox import FULL_BYTES, STALLED_S, Outbox, Piece, merged, piece
from ws_server.protocol import AlertSaid, Delta, Item, Pos, Snap, Synced

FULL = FULL_BYTES + 1


def said(n: int = 0) -> Piece:
    return piece(Synced("orders", n))


def raw(fields: dict[str, int]) -> dict[str, Raw]:
    return {name: Raw(str(value).encode()) for name, value in fields.items()}


def delta(
    rev: int, prev: int | None = None, fields: dict[str, int] | None = None, topic: str = "order:1"
) -> Piece:
    return piece(Delta(topic, "1", rev, raw(fields or {}), prev))


def pos(**vehicles: int) -> Piece:
    rows = [Raw(f'["{name}",{ts}]'.encode()) for name, ts in vehicles.items()]
    return piece(Pos("fleet", 0, rows), tuple(vehicles))


def kept(*pieces: Piece) -> Outbox:
    """The outbox of a client whose socket was full when these came."""
    box = Outbox(1_000_000)
    for one in pieces:
        assert box.offer(one, FULL, 0.0) is None
    return box


def rest(box: Outbox) -> list[dict[str, Any]]:
    return [payload(made) for made in box.take(0, 0.0)]


def test_a_socket_that_takes_what_it_gets_is_written_to_at_once() -> None:
    box, one = Outbox(1_000), said()
    assert box.offer(one, FULL_BYTES, 0.0) is one.frame
    assert (len(box), box.bytes) == (0, 0)


def test_what_waits_comes_out_in_order_and_whole() -> None:
    alerts = [piece(AlertSaid("alerts", "a", rev, Raw(b"{}"))) for rev in (1, 2)]
    snap = piece(Snap("orders", [], 0))
    box = kept(*alerts, snap, said(3))
    assert [(m["op"], m.get("rev")) for m in rest(box)] == [
        ("alert", 1), ("alert", 2), ("snap", None), ("synced", None),
    ]  # fmt: skip
    assert (len(box), box.bytes, box.conflated) == (0, 0, 0)


def test_nothing_overtakes_what_waits() -> None:
    box = kept(said(1))
    assert box.offer(said(2), 0, 0.0) is None
    assert [m["now"] for m in rest(box)] == [1, 2]


def test_a_change_does_not_go_before_the_part_of_a_snapshot_that_it_is_newer_than() -> None:
    part = piece(Snap("orders", [Item("1", 1, {})], 1))
    box = kept(delta(1, topic="orders"), part, delta(2, topic="orders"), delta(3, topic="orders"))
    assert [(m["op"], m.get("rev")) for m in rest(box)] == [
        ("delta", 1), ("snap", None), ("delta", 3),
    ]  # fmt: skip


def test_changes_of_one_item_become_one() -> None:
    box = kept(delta(2, 1, {"a": 1, "b": 1}), said(), delta(3, 2, {"b": 2}), delta(4, 3, {"c": 3}))
    assert rest(box)[0] == {
        "op": "delta", "topic": "order:1", "id": "1", "prev": 1, "rev": 4,
        "set": {"a": 1, "b": 2, "c": 3},
    }  # fmt: skip
    assert (box.conflated, box.bytes) == (2, 0)


def test_a_whole_item_takes_the_place_of_its_changes() -> None:
    assert merged(Delta("t", "1", 2, {"a": Raw(b"1")}, 1), Delta("t", "1", 3, {})) == Delta(
        "t", "1", 3, {}
    )


def test_of_each_vehicle_the_newest_position_waits() -> None:
    box = kept(pos(v1=1, v2=1), pos(v1=2, v3=2), pos(v1=3))
    (message,) = rest(box)
    assert message["v"] == [["v1", 3], ["v2", 1], ["v3", 2]]
    assert (box.conflated, box.bytes) == (2, 0)


def test_a_snapshot_takes_the_place_of_what_waits_of_its_topic_and_of_nothing_else() -> None:
    snap = piece(Snap("order:1", [Item("1", 3, {})], 0))
    box = kept(delta(2, 1), delta(9, 8, topic="order:2"), snap, piece(Snap("order:1", [], 1)))
    assert [(m["op"], m["topic"]) for m in rest(box)] == [
        ("delta", "order:2"), ("snap", "order:1"), ("snap", "order:1"),
    ]  # fmt: skip


def test_only_so_much_is_written_as_the_socket_has_room_for() -> None:
    big = piece(AlertSaid("alerts", "a", 1, Raw(b'"' + b"x" * FULL_BYTES + b'"')))
    box = kept(big, big, said())
    assert box.take(FULL, 0.0) == []
    assert len(box.take(FULL_BYTES, 0.0)) == 1
    assert len(box.take(0, 0.0)) == 1
    assert len(box) == 1


def test_a_client_that_takes_nothing_for_long_is_slow() -> None:
    box = kept(said())
    assert not box.is_slow(STALLED_S)
    assert box.take(FULL, STALLED_S) == []
    assert box.is_slow(STALLED_S + 0.1)


def test_a_client_that_takes_a_little_is_not() -> None:
    box = Outbox(1_000)
    box.offer(said(), FULL + 1, 0.0)
    assert box.take(FULL, STALLED_S) == []
    assert not box.is_slow(STALLED_S + 0.1)


def test_a_client_for_whom_too_much_waits_is_slow_at_once() -> None:
    box = Outbox(len(said().frame))
    box.offer(said(), FULL, 0.0)
    assert not box.is_slow(0.0)
    box.offer(said(), FULL, 0.0)
    assert box.is_slow(0.0)


def test_changes_without_end_take_no_more_room() -> None:
    box = kept(delta(1, 0, {"a": 1}), pos(v1=1))
    before = box.bytes
    for rev in range(2, 500):
        box.offer(delta(rev, rev - 1, {"a": rev % 9}), FULL, 0.0)
        box.offer(pos(v1=rev % 9), FULL, 0.0)
    assert box.bytes < before + 20


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=20),
    st.lists(st.booleans(), max_size=60),
    st.sets(st.integers(0, 20)),
)
def test_whatever_is_conflated_the_client_ends_with_the_same(
    changes: list[dict[str, int]], drains: list[bool], snaps: set[int]
) -> None:
    """A client that reads now and then, and is told everything anew now and then."""
    box, reader, truth = Outbox(1_000_000), Reader(), dict[str, int]()
    full = iter(drains)

    def hear(made: list[bytes]) -> None:
        for one in made:
            reader.hear(payload(one))

    hear([piece(Snap("order:1", [Item("1", 0, {})], 0)).frame])
    for rev, fields in enumerate(changes, 1):
        truth |= fields
        one = delta(rev, rev - 1, fields)
        if rev in snaps:
            one = piece(Snap("order:1", [Item("1", rev, dict(raw(truth)))], 0))
        made = box.offer(one, FULL if next(full, True) else 0, 0.0)
        hear([made] if made else [])
        if next(full, False):
            hear(box.take(0, 0.0))
    hear(box.take(0, 0.0))
    assert not reader.lost
    assert reader.items == {"1": (len(changes), truth)}
    assert box.bytes == 0
