"""The traps of Traccar's forwarded positions, each by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from geo.model import Ping, Rejected
from stream.letters import Reason
from stream.wire import decode_pings
from tests.stream.golden import TRACCAR

FIX_MS = 1_767_225_601_000
"""2026-01-01T00:00:01Z"""


def forwarded(device: Mapping[str, Any] = MappingProxyType({}), /, **position: Any) -> bytes:
    """The golden position with other fields; a field of ... is left out."""
    message = json.loads(TRACCAR)
    message["position"] |= position
    message["device"] |= device
    for part in message.values():
        for name in [name for name, value in part.items() if value is ...]:
            del part[name]
    return json.dumps(message).encode()


def ping_of(record: bytes) -> Ping:
    [ping] = decode_pings(record)
    assert isinstance(ping, Ping), ping
    return ping


def rejected(record: bytes) -> tuple[str, str]:
    [message] = decode_pings(record)
    assert isinstance(message, Rejected)
    return message.reason, message.detail


def test_a_forwarded_position_is_a_ping() -> None:
    assert ping_of(TRACCAR) == Ping(
        vehicle_id="013912345678",
        ts=FIX_MS,
        lat=31.2304,
        lon=121.4737,
        speed_mps=10 * 1852 / 3600,
        heading_deg=184.0,
        accuracy_m=None,
        received_at=1_767_225_603_120,
        ignition=True,
        source="jt808",
    )


@pytest.mark.parametrize("nothing", [None, ..., ""], ids=["null", "missing", "empty"])
def test_the_protocol_is_the_source_if_there_is_one(nothing: Any) -> None:
    assert ping_of(forwarded(protocol="teltonika")).source == "teltonika"
    assert ping_of(forwarded(protocol=nothing)).source is None


def test_knots_become_metres_per_second() -> None:
    assert ping_of(forwarded(speed=3600 / 1852)).speed_mps == pytest.approx(1.0)


def test_the_vehicle_is_the_unique_id_and_not_the_row_number() -> None:
    assert ping_of(forwarded({"id": 1, "uniqueId": "imei-9"}, deviceId=1)).vehicle_id == "imei-9"


@pytest.mark.parametrize(
    ("accuracy", "accuracy_m"), [(0.0, None), (0, None), (None, None), (..., None), (8.5, 8.5)]
)
def test_an_accuracy_of_zero_or_none_is_unknown(accuracy: Any, accuracy_m: float | None) -> None:
    assert ping_of(forwarded(accuracy=accuracy)).accuracy_m == accuracy_m


@pytest.mark.parametrize("nothing", [None, ...], ids=["null", "missing"])
def test_what_traccar_does_not_know_is_none(nothing: Any) -> None:
    ping = ping_of(
        forwarded(
            speed=nothing,
            course=nothing,
            accuracy=nothing,
            serverTime=nothing,
            valid=nothing,
            protocol=nothing,
        )
    )
    assert ping == Ping("013912345678", FIX_MS, 31.2304, 121.4737, ignition=True)


@pytest.mark.parametrize(
    "date",
    [
        "2026-01-01T08:00:01.000+08:00",
        "2025-12-31T19:00:01-05:00",
        "2026-01-01T00:00:01.000+0000",
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:00:01.000999Z",
    ],
)
def test_a_date_of_any_offset_is_the_same_instant(date: str) -> None:
    assert ping_of(forwarded(fixTime=date)).ts == FIX_MS


@pytest.mark.parametrize("date", ["2026-01-01T00:00:01", "2026-01-01", "", None, ..., FIX_MS])
def test_a_fix_time_that_is_no_date_with_an_offset_is_rejected(date: Any) -> None:
    reason, detail = rejected(forwarded(fixTime=date))
    assert (reason, "fixTime" in detail) == (Reason.WRONG_SHAPE, True)


@pytest.mark.parametrize("name", ["fixTime", "serverTime"])
@pytest.mark.parametrize("date", ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_a_date_out_of_bounds_is_rejected(name: str, date: str) -> None:
    reason, detail = rejected(forwarded({}, **{name: date}))
    assert (reason, name in detail) == (Reason.WRONG_SHAPE, True)


def test_a_receiver_without_a_fix_is_rejected() -> None:
    assert rejected(forwarded(valid=False))[0] == Reason.INVALID_FIX


def test_a_fix_sent_again_is_the_same_ping() -> None:
    again = forwarded(
        deviceTime="2026-01-01T00:05:00.000+00:00", serverTime="2026-01-01T00:00:03.120+00:00"
    )
    assert ping_of(again) == ping_of(TRACCAR)


@pytest.mark.parametrize("unique_id", [None, ..., "", 13912345678, "9" * 129])
def test_a_device_without_a_unique_id_is_rejected(unique_id: Any) -> None:
    reason, detail = rejected(forwarded({"uniqueId": unique_id}))
    assert (reason, "uniqueId" in detail) == (Reason.WRONG_SHAPE, True)


@pytest.mark.parametrize("device", [b"null", b"[]", b'"x"'])
def test_a_device_that_is_none_is_rejected(device: bytes) -> None:
    record = TRACCAR[: TRACCAR.index(b'"device":{')] + b'"device":' + device + b"}"
    assert rejected(record)[0] == Reason.WRONG_SHAPE


@pytest.mark.parametrize("latitude", [None, ..., "31.2", True])
def test_a_position_without_a_latitude_is_rejected(latitude: Any) -> None:
    reason, detail = rejected(forwarded(latitude=latitude))
    assert (reason, "latitude" in detail) == (Reason.WRONG_SHAPE, True)


def test_fields_of_a_newer_traccar_are_skipped() -> None:
    newer = forwarded({"firmware": {"v": [1]}}, attributes=None, quality="good", network={"x": 1})
    assert ping_of(newer) == replace(ping_of(TRACCAR), ignition=None)


def test_the_order_of_the_two_parts_does_not_matter() -> None:
    message = json.loads(TRACCAR)
    turned = {"device": message["device"], "position": message["position"]}
    assert ping_of(json.dumps(turned).encode()) == ping_of(TRACCAR)


def test_positions_may_come_in_an_array() -> None:
    messages = decode_pings(b"[" + TRACCAR + b"," + forwarded(valid=False) + b"]")
    assert messages[0] == ping_of(TRACCAR)
    assert isinstance(messages[1], Rejected)
    assert (messages[1].reason, messages[1].part) == (Reason.INVALID_FIX, forwarded(valid=False))


def test_a_ping_with_a_field_called_position_gets_the_errors_of_a_ping() -> None:
    reason, detail = rejected(b'{"vehicle_id":"v","ts":"1","lat":1,"lon":1,"position":3}')
    assert (reason, "$.ts" in detail) == (Reason.WRONG_SHAPE, True)
