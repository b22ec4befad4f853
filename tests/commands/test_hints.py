from __future__ import annotations

import pytest

from commands.hints import far_hint, numbered_hint, unit_hint
from geo.model import Fence, Ping, Stop, StopRole
from geo.sources import FACTORS, SpeedUnit
from tests.builders import T0, ping, stop

WAY = [(10 * n, 120 * n) for n in range(40)]
"""12 m/s."""


@pytest.mark.parametrize("unit", SpeedUnit)
@pytest.mark.parametrize("declared", SpeedUnit)
def test_a_unit_that_the_way_speaks_against_is_told(unit: SpeedUnit, declared: SpeedUnit) -> None:
    said_mps = 12.0 / FACTORS[unit] * FACTORS[declared]
    hint = unit_hint([[ping(*each, speed_mps=said_mps) for each in WAY]], declared)
    assert (hint or "").endswith("" if unit is declared else f"try --source speed={unit}")
    assert (hint is None) is (unit is declared)


@pytest.mark.parametrize(
    ("way", "mps"),
    [
        pytest.param(WAY[:20], 43.2, id="few pings"),
        pytest.param([(n, m / 10) for n, m in WAY], 4.3, id="slow"),
        pytest.param([(6 * n, 6 * m) for n, m in WAY], 43.2, id="sparse"),
        pytest.param(WAY, 0.0, id="standing by its own word"),
        pytest.param(WAY, 12.0 * 6, id="no unit that is known"),
    ],
)
def test_nothing_is_told_of_a_unit_that_is_not_sure(
    way: list[tuple[int, float]], mps: float
) -> None:
    assert unit_hint([[ping(*each, speed_mps=mps) for each in way]], SpeedUnit.MPS) is None


def test_fences_far_from_all_vehicles_are_told_and_whether_they_are_swapped() -> None:
    pings = {"v1": [ping(*each) for each in WAY]}
    assert far_hint([stop(north_m=500)], pings) is None
    assert far_hint([], pings) is None
    far = far_hint([Stop("yard", StopRole.SITE, Fence(48.0, 2.0))], pings)
    assert far is not None
    assert "the nearest, yard, is " in far
    assert "swapped" not in far
    berlin = {"v1": [Ping("v1", T0, 52.5, 13.4)]}
    told = far_hint([Stop("yard", StopRole.SITE, Fence(13.4, 52.5))], berlin)
    assert told is not None
    assert "but 0 km if lat and lon were swapped" in told


def test_fences_called_by_their_number_are_counted() -> None:
    assert numbered_hint([stop("fence 1"), stop("yard"), stop("fence 3")]) is not None
    assert "2 fences" in (numbered_hint([stop("fence 1"), stop("yard"), stop("fence 3")]) or "")
    assert numbered_hint([stop("yard"), stop("fence 9")]) is None
