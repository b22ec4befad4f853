from __future__ import annotations

import inspect
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from geo.model import Ping, Rejected
from stream import topics, wire
from stream.letters import Reason
from stream.traccar import Forwarded
from tests import bad_input
from tests.stream.golden import GOLDEN, TRACCAR, VISIT

PING = Ping("truck-7", 1000, 31.23, 121.47)
PING_JSON = wire.encode(PING)
FUZZ = settings(max_examples=60, deadline=None)
READ = pytest.mark.parametrize("topic", bad_input.DECODERS)


def reasons(messages: Any) -> list[str | None]:
    """Reason of each rejected message, None for each good one."""
    return [m.reason if isinstance(m, Rejected) else None for m in messages]


def named(example: tuple[str, Struct, bytes]) -> str:
    return f"{example[0]} {type(example[1]).__name__}"


@pytest.mark.parametrize("example", GOLDEN, ids=named)
def test_the_bytes_of_a_message_never_change(example: tuple[str, Struct, bytes]) -> None:
    _, message, golden = example
    assert wire.encode(message) == golden


@pytest.mark.parametrize(
    "example", [e for e in GOLDEN if e[0] in bad_input.DECODERS], ids=named
)  # fmt: skip
def test_a_message_comes_back_as_it_was_sent(example: tuple[str, Struct, bytes]) -> None:
    topic, message, golden = example
    assert list(bad_input.DECODERS[topic](golden)) == [message]


def test_every_message_of_every_topic_has_golden_bytes() -> None:
    golden = {(topic, type(message)) for topic, message, _ in GOLDEN}
    public = {(topic, message) for topic, messages in wire.MESSAGES.items() for message in messages}
    assert public - golden == {(topics.PINGS, Forwarded)}  # Never sent by us.
    assert golden <= public


def test_every_topic_but_the_engines_own_states_what_it_holds() -> None:
    assert {spec.name for spec in topics.TOPICS} - set(wire.MESSAGES) == {
        topics.VEHICLE_STATE,
        topics.ORDER_STATE,
        topics.ALERT_STATE,
    }


@READ
@pytest.mark.parametrize("value", [None, b""])
def test_no_value_is_rejected(topic: str, value: bytes | None) -> None:
    assert reasons(bad_input.DECODERS[topic](value)) == [Reason.EMPTY]


@READ
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"   ", Reason.NOT_JSON, id="blank"),
        pytest.param(b"{", Reason.NOT_JSON, id="truncated"),
        pytest.param(b"\xff\xfe{", Reason.NOT_JSON, id="not UTF-8"),
        pytest.param(b"NaN", Reason.NOT_JSON, id="NaN"),
        pytest.param(b"null", Reason.WRONG_SHAPE, id="null"),
        pytest.param(b"7", Reason.WRONG_SHAPE, id="a number"),
        pytest.param(b'"ping"', Reason.WRONG_SHAPE, id="a string"),
        pytest.param(b"{}", Reason.WRONG_SHAPE, id="an empty object"),
        pytest.param(b'{"a":' * 10_000 + b"}" * 10_000, Reason.TOO_DEEP, id="nested too deep"),
    ],
)
def test_what_is_no_message_is_rejected(topic: str, value: bytes, reason: Reason) -> None:
    assert reasons(bad_input.DECODERS[topic](value)) == [reason]


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        pytest.param(b'{"vehicle_id":"","ts":1,"lat":1,"lon":1}', "wrong_shape", "vehicle_id"),
        pytest.param(b'{"vehicle_id":7,"ts":1,"lat":1,"lon":1}', "wrong_shape", "vehicle_id"),
        pytest.param(b'{"ts":1,"lat":1,"lon":1}', "wrong_shape", "vehicle_id", id="missing"),
        pytest.param(b'{"vehicle_id":"v","ts":"1","lat":1,"lon":1}', "wrong_shape", "$.ts"),
        pytest.param(b'{"vehicle_id":"v","ts":-1,"lat":1,"lon":1}', "wrong_shape", "$.ts"),
        pytest.param(b'{"vehicle_id":"v","ts":true,"lat":1,"lon":1}', "wrong_shape", "$.ts"),
        pytest.param(b'{"vehicle_id":"v","ts":1e9,"lat":1,"lon":1}', "wrong_shape", "$.ts"),
        pytest.param(
            b'{"vehicle_id":"v","ts":253402300800000,"lat":1,"lon":1}', "wrong_shape", "$.ts",
            id="year 10000",
        ),
        pytest.param(
            b'{"vehicle_id":"v","ts":%s,"lat":1,"lon":1}' % (b"9" * 5000), "wrong_shape", "$.ts",
            id="huge integer",
        ),
        pytest.param(b'{"vehicle_id":"v","ts":1,"lat":null,"lon":1}', "wrong_shape", "$.lat"),
        pytest.param(b'{"vehicle_id":"v","ts":1,"lat":1e999,"lon":1}', "wrong_shape", "$.lat"),
        pytest.param(b'{"vehicle_id":"v","ts":1,"lat":NaN,"lon":1}', "not_json", "byte 31"),
        pytest.param(
            b'{"vehicle_id":"\\ud800","ts":1,"lat":1,"lon":1}', "not_json", "surrogate",
            id="lone surrogate, escaped",
        ),
        pytest.param(
            b'{"vehicle_id":"\xed\xa0\x80","ts":1,"lat":1,"lon":1}', "not_json", "utf-8",
            id="lone surrogate, raw",
        ),
    ],
)  # fmt: skip
def test_a_rejected_ping_names_the_field(value: bytes, reason: str, field: str) -> None:
    [rejected] = wire.decode_pings(value)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, field in rejected.detail) == (reason, True), rejected.detail
    assert rejected.part == b""


def test_a_rejection_says_what_was_expected() -> None:
    assert wire.decode_pings(b'{"vehicle_id":"v"}') == (
        Rejected(
            Reason.WRONG_SHAPE,
            "Object missing required field `ts`; expected Ping or Forwarded, "
            "see schemas/gps.pings.json",
        ),
    )


def test_an_unknown_kind_of_event_is_rejected_with_the_kinds_there_are() -> None:
    [rejected] = wire.decode_orders(b'{"kind":"exploded","order_id":"o-1","ts":1}')
    assert rejected == Rejected(
        Reason.WRONG_SHAPE,
        "Invalid value 'exploded' - at `$.kind`; expected received or reviewed or assigned or "
        "outbound or in_transit or signed or cancelled or returned or error, "
        "see schemas/orders.events.json",
    )


def test_a_rejection_does_not_repeat_all_that_a_producer_sent() -> None:
    [rejected] = wire.decode_orders(b'{"kind":"%s"}' % (b"x" * 100_000))
    assert isinstance(rejected, Rejected)
    assert len(rejected.detail) < wire.MAX_DETAIL + 200


def test_unknown_fields_are_skipped() -> None:
    assert wire.decode_pings(PING_JSON[:-1] + b',"fuel":{"l":[1,2]}}') == (PING,)


def test_an_id_is_taken_as_it_is() -> None:
    [ping] = wire.decode_pings(b'{"vehicle_id":" a\\u0000\\n","ts":1,"lat":1,"lon":1}')
    assert ping == Ping(" a\x00\n", 1, 1.0, 1.0)


def test_an_array_of_pings_is_taken_in_order() -> None:
    record = b" [" + PING_JSON + b"," + PING_JSON.replace(b"truck-7", b"truck-8") + b"]\n"
    assert list(wire.decode_pings(record)) == [PING, Ping("truck-8", 1000, 31.23, 121.47)]


def test_an_empty_array_holds_nothing() -> None:
    assert list(wire.decode_pings(b"[]")) == []


def test_a_bad_element_is_rejected_alone_with_its_own_bytes() -> None:
    record = b"[" + b",".join([PING_JSON, b'{"ts": 1}', TRACCAR, b"[1]", PING_JSON]) + b"]"
    messages = wire.decode_pings(record)
    assert reasons(messages) == [None, Reason.WRONG_SHAPE, None, Reason.WRONG_SHAPE, None]
    parts = [message.part for message in messages if isinstance(message, Rejected)]
    assert parts == [b'{"ts": 1}', b"[1]"]


def test_an_element_that_is_not_utf8_is_rejected_alone() -> None:
    record = b"[" + PING_JSON.replace(b"truck-7", b"\xff") + b"," + PING_JSON + b"]"
    assert reasons(wire.decode_pings(record)) == [Reason.NOT_JSON, None]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(b"[" + PING_JSON, Reason.NOT_JSON, id="truncated"),
        pytest.param(b"[" + PING_JSON + b",]", Reason.NOT_JSON, id="trailing comma"),
        pytest.param(b"[" * 50_000, Reason.TOO_DEEP, id="nested too deep"),
        pytest.param(b"[" + b"0," * wire.MAX_PINGS + b"0]", Reason.WRONG_SHAPE, id="too long"),
    ],
)
def test_a_broken_array_is_rejected_whole(record: bytes, reason: Reason) -> None:
    assert reasons(wire.decode_pings(record)) == [reason]


def test_a_visit_on_the_orders_topic_names_its_order() -> None:
    of_the_fleet = msgspec.structs.replace(VISIT, order_id=None)
    assert reasons(wire.decode_facts(wire.encode(of_the_fleet))) == [Reason.WRONG_SHAPE]


@READ
@FUZZ
@given(value=st.binary(max_size=200))
def test_bytes_of_any_kind_are_no_exception(topic: str, value: bytes) -> None:
    bad_input.outcome(topic, value)


@READ
@FUZZ
@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["kind", "vehicle_id", "ts", "lat", "position", "device"]), inner
    ),
))  # fmt: skip
def test_json_of_any_kind_is_no_exception(topic: str, value: Any) -> None:
    bad_input.outcome(topic, msgspec.json.encode(value))


@READ
@FUZZ
@given(seed=st.integers(0, 2**32))
def test_a_broken_record_is_no_exception_and_what_is_taken_is_fit_to_send(
    topic: str, seed: int
) -> None:
    [record] = bad_input.bad_records(topic, 1, seed)
    for message in bad_input.DECODERS[topic](record):
        assert isinstance(message, Struct)
        sent = msgspec.msgpack.encode(message)
        assert msgspec.msgpack.decode(sent, type=type(message)) == message
        if not isinstance(message, Rejected):
            assert list(bad_input.DECODERS[topic](wire.encode(message))) == [message]


def test_bad_input_is_the_same_for_a_seed_and_of_every_kind() -> None:
    records = bad_input.bad_records(topics.PINGS, 2_000, seed=1)
    assert records == bad_input.bad_records(topics.PINGS, 2_000, seed=1)
    seen = {r for record in records for r in reasons(wire.decode_pings(record))}
    assert seen == {None, *Reason} - {Reason.FAILED, Reason.INVALID_FIX}


def test_nesting_is_rejected_also_when_our_own_stack_is_deep() -> None:
    def from_below(frames: int) -> list[str | None]:
        if frames:
            return from_below(frames - 1)
        return reasons(wire.decode_pings(b'{"a":' * 500 + b"}" * 500))

    depth = len(inspect.stack())
    assert from_below(sys.getrecursionlimit() - depth - 100) == [Reason.TOO_DEEP]
