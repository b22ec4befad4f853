from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.model import State
from geo.model import Motion
from orders.model import Stage
from tests.ws_server.builders import (
    NOW,
    Reader,
    alert,
    at,
    change,
    customer,
    dispatcher,
    payload,
    status,
    subscribe,
    told,
)
from ws_server.hub import CHUNK_BYTES, TOPICS_OF, Hub, Key, Session
from ws_server.protocol import Role, Sub
from ws_server.views import head_of

ORDER = Key("order:o1", Role.CUSTOMER)
ORDERS = Key("orders", Role.DISPATCHER)
ALERTS = Key("alerts", Role.DISPATCHER)
FLEET = Key("fleet", Role.DISPATCHER)


def following(hub: Hub, rev: int = 1, **more: Any) -> Session:
    """A customer whose snapshot of o1 has come."""
    session = customer()
    subscribe(hub, session, "order:o1")
    list(hub.loaded(ORDER, [status(rev=rev, **more)], {}, NOW))
    return session


def listing(hub: Hub, key: Key, *values: bytes) -> Session:
    """A dispatcher whose snapshot of a list has come."""
    session = dispatcher()
    subscribe(hub, session, key.topic)
    list(hub.loaded(key, values, {}, NOW))
    return session


def ops(messages: list[dict[str, Any]]) -> list[str]:
    return [message["op"] for message in messages]


def test_a_snapshot_comes_when_it_is_loaded_and_then_what_changes() -> None:
    hub, session = Hub(), customer()
    assert subscribe(hub, session, "order:o1") == []
    assert hub.wanted == {ORDER}
    snap, synced = told(hub.loaded(ORDER, [status(rev=5)], {}, NOW), session)
    assert (snap["items"][0]["rev"], snap["part"], synced["op"]) == (5, 0, "synced")
    (delta,) = told(change(hub, status(rev=6, stage=Stage.SIGNED)), session)
    assert (delta["prev"], delta["rev"]) == (5, 6)
    assert delta["set"] == {"stage": "signed", "seen": None}


def test_what_changes_while_it_is_loading_is_in_the_snapshot() -> None:
    hub, session = Hub(), customer()
    subscribe(hub, session, "order:o1")
    assert change(hub, status(rev=7)) == []
    snap, _ = told(hub.loaded(ORDER, [status(rev=5)], {}, NOW), session)
    assert [item["rev"] for item in snap["items"]] == [7]


def test_what_is_not_newer_is_not_told() -> None:
    hub = Hub()
    following(hub, rev=5)
    assert change(hub, status(rev=5)) == []
    assert change(hub, status(rev=4)) == []


def test_an_order_nobody_spoke_of_is_an_empty_snapshot_and_comes_whole_later() -> None:
    hub, session = Hub(), customer()
    subscribe(hub, session, "order:o1")
    snap, _ = told(hub.loaded(ORDER, [], {}, NOW), session)
    assert snap["items"] == []
    (delta,) = told(change(hub, status(rev=1)), session)
    assert "prev" not in delta
    assert delta["set"]["order_id"] == "o1"


def test_who_subscribes_later_is_answered_from_memory() -> None:
    hub = Hub()
    following(hub, rev=5)
    hub.wanted.clear()
    second = customer()
    assert ops(subscribe(hub, second, "order:o1")) == ["snap", "synced"]
    assert hub.wanted == set()


@pytest.mark.parametrize("topic", ["order:o2", "orders", "fleet", "alerts"])
def test_a_customer_is_refused_whatever_the_token_does_not_name(topic: str) -> None:
    hub, session = Hub(), customer("o1")
    (err,) = subscribe(hub, session, topic)
    assert (err["op"], err["code"], err["topic"], err["id"]) == ("err", "forbidden", topic, 7)
    assert (hub.channels, hub.wanted, session.topics) == ({}, set(), set())


@pytest.mark.parametrize("topic", ["order:", "order", "vehicle:v1", "x"])
def test_a_topic_that_does_not_exist_is_said_to_be_none(topic: str) -> None:
    (err,) = subscribe(Hub(), dispatcher(), topic)
    assert (err["code"], "order:ID, orders, fleet or alerts" in err["msg"]) == (
        "no_such_topic", True,
    )  # fmt: skip


def test_topics_are_bounded_and_one_more_is_refused() -> None:
    most = TOPICS_OF[Role.CUSTOMER]
    hub, session = Hub(), customer(*(f"o{n}" for n in range(most + 1)))
    for n in range(most):
        assert subscribe(hub, session, f"order:o{n}") == []
    assert subscribe(hub, session, "order:o0") == []
    (err,) = subscribe(hub, session, f"order:o{most}")
    assert err["code"] == "too_many_topics"


def test_a_customer_and_a_dispatcher_see_the_same_order_differently() -> None:
    hub = Hub()
    theirs, ours = following(hub), dispatcher()
    subscribe(hub, ours, "order:o1")
    list(hub.loaded(Key("order:o1", Role.DISPATCHER), [status()], {}, NOW))
    told_both = change(hub, status(rev=2, errors=1, last_error="address"))
    assert told(told_both, theirs)[0]["set"] == {}
    assert told(told_both, ours)[0]["set"] == {"errors": 1, "last_error": "address"}


def test_asking_again_is_being_told_again() -> None:
    hub = Hub()
    session = following(hub)
    assert subscribe(hub, session, "order:o1") == []
    snap, _ = told(hub.loaded(ORDER, [status(rev=3)], {}, NOW), session)
    assert snap["items"][0]["rev"] == 3


# Positions.


def test_an_orders_vehicle_is_followed_while_the_order_is_under_way() -> None:
    hub = Hub()
    session = following(hub, stage=Stage.OUTBOUND)
    (pos,) = told(hub.moved({"v1": at(1), "v2": at(1)}, NOW), session)
    assert (pos["topic"], [row[0] for row in pos["v"]]) == ("order:o1", ["v1"])
    change(hub, status(rev=2, stage=Stage.SIGNED))
    assert list(hub.moved({"v1": at(2)}, NOW)) == []


def test_before_it_is_under_way_the_vehicle_is_nobodys_business() -> None:
    hub = Hub()
    session = following(hub, stage=Stage.ASSIGNED)
    assert list(hub.moved({"v1": at(1)}, NOW)) == []
    change(hub, status(rev=2, stage=Stage.OUTBOUND))
    assert ops(told(hub.moved({"v1": at(2)}, NOW), session)) == ["pos"]


def test_an_order_handed_over_is_followed_by_its_new_vehicle() -> None:
    hub = Hub()
    session = following(hub)
    list(hub.moved({"v1": at(1)}, NOW))
    change(hub, status(rev=2, vehicle="v2"))
    assert list(hub.moved({"v1": at(2)}, NOW)) == []
    assert ops(told(hub.moved({"v2": at(2)}, NOW), session)) == ["pos"]
    second = customer()
    rows = [m["v"] for m in subscribe(hub, second, "order:o1") if m["op"] == "pos"]
    assert [row[0] for (row,) in rows] == ["v2"]


def test_a_snapshot_says_where_the_vehicle_is() -> None:
    hub, session = Hub(), customer()
    subscribe(hub, session, "order:o1")
    messages = told(hub.loaded(ORDER, [status()], {"v1": at(1)}, NOW), session)
    assert ops(messages) == ["snap", "pos", "synced"]
    assert messages[1]["v"][0][:2] == ["v1", NOW + 1]


def test_a_position_that_came_while_loading_is_not_overwritten_by_an_older_one() -> None:
    hub, first = Hub(), customer()
    subscribe(hub, first, "order:o1")
    change(hub, status(rev=1))
    assert list(hub.moved({"v1": at(9)}, NOW)) == []
    messages = told(hub.loaded(ORDER, [status()], {"v1": at(1)}, NOW), first)
    assert messages[1]["v"][0][1] == NOW + 9


def test_a_vehicle_does_not_go_back_to_where_it_was_before_the_snapshot() -> None:
    hub, session = Hub(), customer()
    subscribe(hub, session, "order:o1")
    list(hub.loaded(ORDER, [status()], {"v1": at(5)}, NOW))
    assert [list(hub.moved({"v1": at(ts)}, NOW)) for ts in (4, 5)] == [[], []]
    silent = at(5)._replace(motion=Motion.SILENT)
    assert ops(told(hub.moved({"v1": silent}, NOW), session)) == ["pos"]


def test_the_fleet_is_told_to_each_who_asks_and_goes_on_for_the_others() -> None:
    hub = Hub()
    first, second = dispatcher(), dispatcher()
    assert subscribe(hub, first, "fleet") == []
    assert ops(told(hub.loaded(FLEET, [], {"v1": at()}, NOW), first)) == ["pos", "synced"]
    hub.wanted.clear()
    assert subscribe(hub, second, "fleet") == []
    assert hub.wanted == {FLEET}
    assert ops(told(hub.moved({"v2": at()}, NOW), first)) == ["pos"]
    again = list(hub.loaded(FLEET, [], {"v1": at()}, NOW))
    assert (ops(told(again, first)), ops(told(again, second))) == ([], ["pos", "synced"])


# Lists.


def test_a_list_holds_what_is_open_and_says_what_ends() -> None:
    hub = Hub()
    session = listing(hub, ORDERS, status("o1"), status("o2", stage=Stage.SIGNED))
    (delta,) = told(change(hub, status("o1", rev=2, stage=Stage.SIGNED)), session)
    assert (delta["id"], delta["set"]["stage"], "prev" in delta) == ("o1", "signed", False)
    assert subscribe(hub, dispatcher(), "orders")[0]["items"] == []


def test_a_long_list_comes_in_parts() -> None:
    hub, session = Hub(), dispatcher()
    subscribe(hub, session, "orders")
    each = len(status())
    many = [status(f"o{n}") for n in range(2 * CHUNK_BYTES // each)]
    *snaps, synced = told(hub.loaded(ORDERS, many, {}, NOW), session)
    assert [snap["part"] for snap in snaps] == list(range(len(snaps)))
    assert len(snaps) > 1
    assert sum(len(snap["items"]) for snap in snaps) == len(many)
    assert synced["op"] == "synced"


def test_what_ends_between_two_parts_is_left_out_of_the_second() -> None:
    hub, session = Hub(), dispatcher()
    many = [status(f"o{n}") for n in range(400)]
    listing(hub, ORDERS, *many)
    parts = hub.subscribe(session, Sub("orders"), NOW)
    first = next(parts)
    change(hub, status("o399", rev=2, stage=Stage.SIGNED))
    names = {i["id"] for m in told([first, *parts], session) for i in m.get("items", [])}
    assert names == {f"o{n}" for n in range(399)}


def test_an_alert_is_told_with_its_sentence_and_leaves_the_list_when_resolved() -> None:
    hub = Hub()
    session = listing(hub, ALERTS, alert(rev=1), alert("a2", state=State.RESOLVED))
    (said,) = told(hub.alert(alert(rev=2, state=State.RESOLVED)), session)
    assert (said["op"], said["rev"], said["data"]["state"]) == ("alert", 2, "resolved")
    assert "签收" in said["data"]["zh"]
    assert subscribe(hub, dispatcher(), "alerts")[0]["items"] == []


def test_an_alert_that_is_known_is_not_told_again() -> None:
    hub = Hub()
    listing(hub, ALERTS, alert(rev=2))
    assert list(hub.alert(alert(rev=2))) == []


def test_nobody_subscribes_and_nothing_is_kept() -> None:
    hub = Hub()
    assert change(hub, status()) == []
    assert list(hub.alert(alert())) == []
    assert list(hub.moved({"v1": at()}, NOW)) == []
    assert list(hub.loaded(ORDER, [status()], {}, NOW)) == []
    assert hub.channels == {}


# Coming and going.


def test_the_last_to_leave_closes_the_channel() -> None:
    hub = Hub()
    first, second = following(hub), customer()
    subscribe(hub, second, "order:o1")
    hub.leave(first)
    assert ORDER in hub.channels
    hub.unsubscribe(second, "order:o1")
    hub.unsubscribe(second, "order:o1")
    assert (hub.channels, list(hub.moved({"v1": at()}, NOW))) == ({}, [])


def test_a_dispatcher_may_leave_the_list_while_orders_are_under_way() -> None:
    hub, session = Hub(), dispatcher()
    subscribe(hub, session, "orders")
    list(hub.loaded(ORDERS, [status()], {}, NOW))
    hub.leave(session)
    assert hub.channels == {}


def test_a_change_is_told_by_what_the_one_before_it_left() -> None:
    hub = Hub()
    following(hub)
    change(hub, status(rev=2, errors=1, eta=5))
    ((_, what),) = change(hub, status(rev=3, stage=Stage.SIGNED, eta=5))
    told = payload(what.frame)
    assert (told["prev"], told["set"]) == (2, {"stage": "signed", "seen": None})


def test_who_leaves_while_it_is_loading_is_not_told() -> None:
    hub = Hub()
    first, second = customer(), customer()
    for session in (first, second):
        subscribe(hub, session, "order:o1")
    hub.leave(first)
    messages = list(hub.loaded(ORDER, [status()], {}, NOW))
    assert (told(messages, first), ops(told(messages, second))) == ([], ["snap", "synced"])


def test_after_a_gap_everyone_is_told_everything_again() -> None:
    hub = Hub()
    theirs, ours = following(hub, rev=1), listing(hub, ORDERS, status("o1"), status("o2"))
    hub.wanted.clear()
    hub.reset()
    assert hub.wanted == {ORDER, ORDERS}
    change(hub, status("o3", rev=9))
    again = told(hub.loaded(ORDERS, [status("o2", rev=4)], {}, NOW), ours)
    assert {item["id"]: item["rev"] for item in again[0]["items"]} == {"o2": 4, "o3": 9}
    # Redis has lost o1, or does not have it yet: what was told stays.
    (snap, _) = told(hub.loaded(ORDER, [], {}, NOW), theirs)
    assert snap["items"][0]["rev"] == 1


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "change", "change", "load", "reset", "lose", "join", "leave"]),
        st.integers(0, 2),
    ),
    max_size=60,
)


@given(STEPS)
def test_however_it_comes_every_reader_ends_with_what_redis_holds(steps: list[Step]) -> None:
    """Changes, loads, gaps in which changes are lost, readers that come and go."""
    hub, names = Hub(), ["o0", "o1", "o2"]
    redis: dict[str, bytes] = {}
    sessions = [dispatcher(), customer(*names), customer(*names)]
    topics = ["orders", "order:o0", "order:o1"]
    readers: dict[int, Reader] = {}
    rev, lossy = 0, False

    def deliver(deliveries: Any) -> None:
        made = list(deliveries)
        for n, reader in readers.items():
            for message in told(made, sessions[n]):
                reader.hear(message)

    def load() -> None:
        for key in list(hub.wanted):
            hub.wanted.discard(key)
            name = key.topic.removeprefix("order:")
            shown = [v for o, v in redis.items() if key.topic == "orders" or o == name]
            deliver(hub.loaded(key, shown, {}, NOW))

    for what, n in [*steps, ("reset", 0), ("load", 0)]:
        if what == "change":
            rev += 1
            value = redis[names[n]] = status(names[n], rev, list(Stage)[rev % len(Stage)])
            if not lossy:
                deliver(change(hub, value))
        elif what == "load":
            load()
        elif what == "lose":
            lossy = True
        elif what == "reset":
            lossy = False
            hub.reset()
        elif what == "join" and n not in readers:
            readers[n] = Reader()
            deliver(hub.subscribe(sessions[n], Sub(topics[n]), NOW))
        elif what == "leave" and n in readers:
            del readers[n]
            hub.leave(sessions[n])

    ended = {"signed", "cancelled", "returned"}
    for n, reader in readers.items():
        held = {name: (r, data["stage"]) for name, (r, data) in reader.items.items()}
        truth = {}
        for name, value in redis.items():
            head = head_of(value)
            if topics[n] == f"order:{name}" or (n == 0 and head.stage not in ended):
                truth[name] = head.rev, head.stage.value
        assert not reader.lost
        assert {k: v for k, v in held.items() if n or v[1] not in ended} == truth
