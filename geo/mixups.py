"""Fences that lie where no vehicle stops, though vehicles stop where another datum puts them.

How this works. A fence drawn on a Chinese map and declared WGS-84 lies some 500 m from the dock
(GCJ-02) or some 1,000 m (BD-09), always to the same side; pings in the wrong datum are off to the
opposite side. So there are four places at which the halts of a mixed-up fence would lie. We say
"shifted" only where halts gather at one of the four and next to none at the fence itself:
vehicles stop at lights and gates everywhere, so a few halts 500 m away prove nothing if the fence
has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from geo.crs import Datum, from_wgs84, to_wgs84
from geo.distance import metres

MIN_HALTS = 5
"""Fewer may be one driver's lunch."""
MIN_SHARE = 0.8
"""Of the halts at the fence and at the other place together."""
MIN_SHIFT_M = 200.0
"""Below this the two places overlap: no shift of GCJ-02 is smaller than 265 m in any city
(research/field.md §7)."""

LatLon = tuple[float, float]


class MixedUp(StrEnum):
    FENCE = "fence"
    """The fence is in `datum`, but was taken for WGS-84."""
    PINGS = "pings"
    """The pings are in `datum`, but were taken for WGS-84."""


class Shift(Struct, frozen=True):
    """What looks wrong with one fence."""

    what: MixedUp
    datum: Datum
    metres: float
    halts: int
    """That lie where they would if this were so."""


def shifted_by(place: LatLon, halts: Sequence[LatLon], *, within_m: float = 150.0) -> Shift | None:
    """How a fence around `place` looks shifted, given where vehicles stood; all WGS-84."""
    here = _near(place, halts, within_m)
    found = [shift for shift in _suspects(place, halts, within_m) if _proves(shift, here)]
    return max(found, key=lambda shift: shift.halts, default=None)


def _suspects(place: LatLon, halts: Sequence[LatLon], within_m: float) -> list[Shift]:
    found = []
    for datum in (Datum.GCJ02, Datum.BD09):
        for what, moved in ((MixedUp.FENCE, to_wgs84), (MixedUp.PINGS, from_wgs84)):
            there = moved(*place, datum)
            shift_m = metres(*place, *there)
            if shift_m >= MIN_SHIFT_M:
                found.append(Shift(what, datum, shift_m, _near(there, halts, within_m)))
    return found


def _proves(shift: Shift, here: int) -> bool:
    return shift.halts >= MIN_HALTS and shift.halts >= MIN_SHARE * (shift.halts + here)


def _near(place: LatLon, halts: Sequence[LatLon], within_m: float) -> int:
    return sum(metres(*place, *halt) <= within_m for halt in halts)
