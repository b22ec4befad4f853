from __future__ import annotations

import pytest

from load_tests.journeys import TrueStay
from load_tests.scoring import Found, Score, score, total
from tests.builders import at


def stay(entered: float | None, left: float | None, stop_id: str = "dock") -> TrueStay:
    """It stands half a minute after entering until half a minute before leaving."""
    return TrueStay(
        stop_id,
        at(0 if entered is None else entered + 30),
        at(2_000 if left is None else left - 30),
        None if entered is None else at(entered),
        None if left is None else at(left),
    )


def found(arrived: float, departed: float | None, stop_id: str = "dock") -> Found:
    return Found(stop_id, at(arrived), None if departed is None else at(departed))


STAYS = [stay(100, 700)]


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        pytest.param([], Score(1), id="missed"),
        pytest.param([found(110, 695)], Score(1, 1, 1, errors_s=(10, 5)), id="found"),
        pytest.param([found(110, None)], Score(1, 1, 1, errors_s=(10,)), id="never left"),
        pytest.param([found(50, 94.9)], Score(1, 1), id="too early"),
        pytest.param([found(50, 95)], Score(1, 1, 1, errors_s=(50, 605)), id="just in time"),
        pytest.param([found(705.1, 800)], Score(1, 1), id="too late"),
        pytest.param([found(110, 695, "gate")], Score(1, 1), id="at another stop"),
        pytest.param(
            [found(100, 300), found(400, 700)],
            Score(1, 2, 1, flaps=1, errors_s=(0, 400)),
            id="twice",
        ),
        pytest.param(
            [found(100, 700), found(900, 950, "passed")],
            Score(1, 2, 1, drive_bys=1, errors_s=(0, 0)),
            id="and driven by another",
        ),
    ],
)
def test_visits_found_ten_seconds_apart_score(visits: list[Found], expected: Score) -> None:
    one = score(STAYS, frozenset({"passed"}), visits, every_s=10)
    assert (one.true, one.found, one.right, one.flaps, one.drive_bys, one.errors_s) == (
        expected.true,
        expected.found,
        expected.right,
        expected.flaps,
        expected.drive_bys,
        expected.errors_s,
    )


def test_each_of_two_stays_at_one_stop_is_found_once() -> None:
    one = score(
        [stay(100, 700), stay(1_000, 1_500)],
        frozenset(),
        [found(1_000, 1_500), found(100, 700)],
        every_s=10,
    )
    assert (one.precision, one.recall, one.flaps) == (1.0, 1.0, 0)


def test_where_nobody_can_say_when_it_came_only_the_rest_is_measured() -> None:
    one = score([stay(None, 700)], frozenset(), [found(60, 690)], every_s=10)
    assert (one.errors_s, one.stand_errors_s) == ((10.0,), (20.0,))


def test_a_scenario_is_the_sum_of_its_vehicles() -> None:
    whole = total([Score(2, 2, 1, 1, 0, 3, (1.0,)), Score(2, 1, 1, 0, 1, 0, (3.0, 9.0))])
    assert whole == Score(4, 3, 2, 1, 1, 3, (1.0, 3.0, 9.0))
    assert (whole.precision, whole.recall, whole.median_s) == (2 / 3, 0.5, 3.0)


def test_nothing_found_is_precise_and_nothing_there_is_all_found() -> None:
    assert (Score().precision, Score().recall, Score().median_s, Score().p90_s) == (
        1,
        1,
        None,
        None,
    )
