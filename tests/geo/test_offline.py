from __future__ import annotations

from geo.cleaning import Reason
from geo.offline import offline
from tests.builders import at, ping, stop

DAY = (ping(0, 3_000), ping(100, 100), ping(160), ping(220), ping(280, 900), ping(340, 3_000))


def test_a_recording_comes_to_its_visits_each_once() -> None:
    outcome = offline([stop()], DAY)
    assert [(v.arrived_at, v.departed_at) for v in outcome.visits] == [(at(100), at(280))]
    assert (outcome.taken, outcome.rejected) == (6, {})


def test_every_refused_ping_is_there_with_its_reason() -> None:
    outcome = offline([], [*DAY, DAY[-1]])
    assert [(p, why.reason) for p, why in outcome.refused] == [(DAY[-1], Reason.DUPLICATE)]
