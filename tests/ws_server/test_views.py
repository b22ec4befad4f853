from __future__ import annotations

import json

import pytest

from alerts.model import State
from orders.model import Stage
from tests.ws_server.builders import NOW, alert, at, payload, status
from ws_server.protocol import ALERTS, ORDERS, Role
from ws_server.views import (
    ROWS_PER_FRAME,
    alert_of,
    fields_of,
    head_of,
    is_over,
    positions,
    with_sentences,
)

ALL = set(json.loads(status())) - {"rev"}


def test_a_dispatcher_sees_every_field_of_an_order() -> None:
    assert set(fields_of(status(), "order:o1", Role.DISPATCHER)) == ALL


def test_a_list_of_orders_leaves_out_their_timelines() -> None:
    assert set(fields_of(status(), ORDERS, Role.DISPATCHER)) == ALL - {"milestones"}


def test_a_customer_does_not_see_our_errors() -> None:
    assert set(fields_of(status(), "order:o1", Role.CUSTOMER)) == ALL - {"errors", "last_error"}


@pytest.mark.parametrize("stage", Stage)
def test_a_customer_sees_where_the_vehicle_is_only_while_the_order_is_under_way(
    stage: Stage,
) -> None:
    seen = fields_of(status(stage=stage), "order:o1", Role.CUSTOMER)["seen"]
    under_way = stage in (Stage.OUTBOUND, Stage.IN_TRANSIT)
    assert (bytes(seen) != b"null") is under_way
    assert (head_of(status(stage=stage)).carried_by == "v1") is under_way


def test_an_alert_is_told_in_both_languages() -> None:
    told = json.loads(with_sentences(alert_of(alert())))
    assert "o1 is not signed 50 h after" in told["en"]
    assert "接单 50 小时后仍未签收" in told["zh"]
    assert told["state"] == "firing"


@pytest.mark.parametrize(
    ("topic", "value", "over"),
    [
        (ORDERS, status(stage=Stage.SIGNED), True),
        (ORDERS, status(stage=Stage.RECEIVED), False),
        (ALERTS, alert(state=State.RESOLVED), True),
        (ALERTS, alert(state=State.RECOVERING), False),
        ("order:o1", status(stage=Stage.SIGNED), False),
    ],
)
def test_lists_hold_what_is_open(topic: str, value: bytes, over: bool) -> None:
    assert is_over(topic, value) is over


def test_positions_are_rows_so_many_in_a_frame() -> None:
    many = {f"v{n}": at(n) for n in range(ROWS_PER_FRAME + 1)}
    first, second = positions("fleet", many, NOW)
    assert len(payload(first.frame)["v"]) == len(first.vehicles) == ROWS_PER_FRAME
    last = ROWS_PER_FRAME
    assert payload(second.frame)["v"] == [
        [f"v{last}", NOW + last, 31.0, 121.0, None, None, "moving"]
    ]
    assert list(positions("fleet", {}, NOW)) == []
