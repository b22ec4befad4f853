from __future__ import annotations

from collections import Counter

from geo.cleaning import Reason
from geo.model import Rejected
from geo.track import Track, World, step
from tests import jersey


def test_of_the_real_day_each_distinct_fix_is_accepted_and_the_rest_is_restatement() -> None:
    jersey.require_data()
    world = World()
    tracks: dict[str, Track | None] = {}
    accepted: set[tuple[str, int, float, float]] = set()
    rejected: Counter[str] = Counter()
    for ping in jersey.pings():
        before = tracks.get(ping.vehicle_id)
        after, facts = step(before, ping, ping.received_at or 0, world)
        tracks[ping.vehicle_id] = after
        if after is not None and after.last is ping:
            accepted.add((ping.vehicle_id, ping.ts, ping.lat, ping.lon))
        rejected.update(fact.reason for fact in facts if isinstance(fact, Rejected))
    assert len(accepted) == 9_744
    assert rejected == {Reason.DUPLICATE: 188_331}
