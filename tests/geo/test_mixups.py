from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import Datum, from_wgs84, to_wgs84
from geo.distance import metres
from geo.mixups import MIN_HALTS, Halts, LatLon, MixedUp, shifted_by

DOCK = (31.2304, 121.4737)
TAIPEI = (25.0330, 121.5654)


def around(place: LatLon, count: int) -> list[LatLon]:
    """Halts some 10 m apart in a row."""
    return [(place[0] + n * 1e-4, place[1]) for n in range(-count // 2, count - count // 2)]


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_a_fence_in_another_datum_is_known_by_the_halts_at_its_true_place(datum: Datum) -> None:
    drawn = from_wgs84(*DOCK, datum)
    found = shifted_by([drawn], Halts(around(DOCK, 8)))
    assert found is not None
    assert (found.what, found.datum, found.halts) == (MixedUp.FENCE, datum, 8)
    assert found.metres == pytest.approx(metres(*DOCK, *drawn), abs=0.1)


def test_pings_in_another_datum_lie_on_the_opposite_side() -> None:
    found = shifted_by([DOCK], Halts(around(from_wgs84(*DOCK, Datum.GCJ02), 8)))
    assert found is not None
    assert (found.what, found.datum, found.halts) == (MixedUp.PINGS, Datum.GCJ02, 8)


@pytest.mark.parametrize(
    "halts",
    [
        pytest.param(around(to_wgs84(*DOCK, Datum.GCJ02), MIN_HALTS - 1), id="too few"),
        pytest.param(
            around(to_wgs84(*DOCK, Datum.GCJ02), 8) + around(DOCK, 3), id="some at the fence"
        ),
        pytest.param(around(DOCK, 50), id="all at the fence"),
        pytest.param([], id="none at all"),
    ],
)
def test_nothing_is_said_of_a_fence_when_halts_are(halts: list[LatLon]) -> None:
    assert shifted_by([DOCK], Halts(halts)) is None


def test_outside_mainland_china_there_is_nothing_to_mix_up() -> None:
    assert shifted_by([TAIPEI], Halts(around((TAIPEI[0] + 0.004, TAIPEI[1] - 0.004), 20))) is None


def test_fences_called_at_once_each_prove_it_together() -> None:
    docks = [(31.2 + n * 0.03, 121.4) for n in range(MIN_HALTS)]
    drawn = [from_wgs84(*dock, Datum.GCJ02) for dock in docks]
    assert shifted_by(drawn[:1], Halts(docks)) is None
    found = shifted_by(drawn, Halts(docks))
    assert found is not None
    assert (found.what, found.datum, found.halts) == (MixedUp.FENCE, Datum.GCJ02, MIN_HALTS)


@given(north=st.floats(-0.02, 0.02), east=st.floats(-0.02, 0.02), within_m=st.floats(1, 1_000))
def test_halts_are_found_wherever_they_are(north: float, east: float, within_m: float) -> None:
    halt = (45.0 + north, 90.0 + east)
    assert Halts([halt]).near((45.0, 90.0), within_m) == (metres(45.0, 90.0, *halt) <= within_m)
