"""Every threshold there is, and what holds for each source."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from geo.cleaning import Limits
from geo.crs import Datum
from geo.lulls import GapRule
from geo.model import (
    Id,
    Ping,
)
from geo.motion import MotionRule
from geo.past import (
    PastRule,
)
from geo.proof import VisitRule
from geo.sightings import SightingRule


class World(Struct, frozen=True):
    """Every threshold of `geo`."""

    limits: Limits = Limits()
    visits: VisitRule = VisitRule()
    sightings: SightingRule = SightingRule()
    past: PastRule = PastRule()
    motion: MotionRule = MotionRule()
    gaps: GapRule = GapRule()
    max_stops: int = 2_000
    """Of all orders of one vehicle: its state is one Kafka record, of at most a megabyte; a stop
    takes some 30 bytes of it, a visit that has begun there some 300."""
    silent_after_ms: int = 900_000
    """15 minutes: the promise that no status is silently older (design.md §4.4, field.md §9)."""
    datum: Datum = Datum.WGS84
    """In which the pings are sent. Used where `by_source` is not None."""
    by_source: Mapping[Id, World] | None = None
    """What holds instead for pings of these sources; None: there is nothing to look up."""


def rules_of(last: Ping | None, world: World) -> World:
    """Those of the source of the last position."""
    if world.by_source is None or last is None or last.source is None:
        return world
    return world.by_source.get(last.source, world)
