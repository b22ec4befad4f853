from __future__ import annotations

import math

import pytest

from geo.model import Motion
from stream.keys import (
    Position,
    entity,
    feed,
    pack_feed,
    pack_position,
    unpack_feed,
    unpack_position,
)

HERE = Position(1_752_400_000_123, 31.230416, 121.473701, 12.34, 184.0, Motion.MOVING)


def test_a_packed_position_has_29_bytes_that_never_change() -> None:
    packed = pack_position(HERE, HERE.motion)
    assert packed.hex() == (
        "7bf42d0398010000" + "a379008bfc3a3f40" + "48c5ff1d515e5e40" + "d204" + "b800" + "00"
    )


@pytest.mark.parametrize("motion", Motion)
def test_a_position_comes_back_as_it_was_packed(motion: Motion) -> None:
    assert unpack_position(pack_position(HERE, motion)) == HERE._replace(motion=motion)


@pytest.mark.parametrize("speed", [None, -1.0, math.nan, math.inf, 655.35])
def test_a_speed_that_cannot_be_is_unknown(speed: float | None) -> None:
    packed = pack_position(HERE._replace(speed_mps=speed), Motion.MOVING)
    assert unpack_position(packed).speed_mps is None


@pytest.mark.parametrize(
    ("heading", "kept"),
    [
        pytest.param(None, None, id="unknown"),
        pytest.param(math.nan, None, id="not a number"),
        pytest.param(1e9, None, id="nonsense"),
        pytest.param(359.7, 0.0, id="rounds to north"),
        pytest.param(-90.0, 270.0, id="west, counted the other way"),
    ],
)
def test_a_heading_is_whole_degrees_below_360(heading: float | None, kept: float | None) -> None:
    packed = pack_position(HERE._replace(heading_deg=heading), Motion.MOVING)
    assert unpack_position(packed).heading_deg == kept


def test_rows_of_a_feed_entry_come_back_in_order_with_ids_of_any_script() -> None:
    there = HERE._replace(lat=-1.5, speed_mps=None)
    both = [("沪A12345", HERE), ("v2", there)]
    rows = pack_feed((name, pack_position(at, at.motion)) for name, at in both)
    assert list(unpack_feed(rows)) == both


def test_keys_name_the_order_and_the_partition() -> None:
    assert (entity("order", "o1"), feed("pos", 3)) == ("mp:order:o1", "mp:feed:pos:3")
