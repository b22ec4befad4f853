from __future__ import annotations

from geo.cleaning import Reason
from geo.offline import offline
from tests.builders import ping, stop
from tests.geo.vehicle import seconds

DAY = (ping(0, 3_000), ping(100, 100), ping(160), ping(220), ping(280, 900), ping(340, 3_000))


def test_a_recording_comes_to_its_visits_each_once() -> None:
    outcome = offline([stop()], DAY)
    assert [seconds(visit) for visit in outcome.visits] == [(98, 230)]
    assert (outcome.taken, outcome.rejected) == (6, {})


def test_a_shuffled_recording_comes_to_the_same() -> None:
    shuffled = offline([stop()], [*DAY[3:], *DAY[:3]])
    assert shuffled.visits_alike() == offline([stop()], DAY).visits_alike()


def test_who_stands_at_a_stop_when_the_recording_ends_is_there() -> None:
    [visit] = offline([stop()], [ping(0, 3_000), ping(100, 100), ping(120, 105)]).visits
    assert seconds(visit) == (98, None)
    assert visit.inferred
    assert offline([stop()], [ping(0, 3_000), ping(100, 100), ping(120, -120)]).visits == []


def test_a_position_that_proves_wrong_later_is_refused_in_the_end() -> None:
    wrong = ping(350, 900_000)
    on = [ping(360 + 10 * n, 3_000 + 100 * n) for n in range(5)]
    outcome = offline([], [*DAY, wrong, *on])
    assert [(p, why.reason) for p, why in outcome.refused] == [(wrong, Reason.IMPLIED_SPEED)]
    assert outcome.taken == len(DAY) + len(on)


def test_every_refused_ping_is_there_with_its_reason() -> None:
    outcome = offline([], [*DAY, DAY[-1]])
    assert [(p, why.reason) for p, why in outcome.refused] == [(DAY[-1], Reason.DUPLICATE)]
