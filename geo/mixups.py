"""Fences that lie where no vehicle stops, though vehicles stop where another datum puts them.

How this works. A fence drawn on a Chinese map and declared WGS-84 lies some 500 m from the dock
(GCJ-02) or some 1,000 m (BD-09), always to the same side; pings in the wrong datum are off to the
opposite side. So there are four places at which the halts of a mixed-up fence would lie. We say
"shifted" only where halts gather at one of the four and next to none at the fence itself:
vehicles stop at lights and gates everywhere, so a few halts 500 m away prove nothing if the fence
has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    """What looks wrong with a fence, or with all of a file."""

    what: MixedUp
    datum: Datum
    metres: float
    """The largest, of several fences."""
    halts: int
    """That lie where they would if this were so."""


class Halts:
    """Places where vehicles stood, found by where they are."""

    def __init__(self, places: Iterable[LatLon]) -> None:
        self._cells: dict[tuple[int, int], list[LatLon]] = {}
        for lat, lon in places:
            self._cells.setdefault(_cell(lat, lon), []).append((lat, lon))

    def near(self, place: LatLon, within_m: float) -> int:
        """How many lie so near, up to a kilometre."""
        row, column = _cell(*place)
        cells = ((row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        halts = (halt for cell in cells for halt in self._cells.get(cell, ()))
        return sum(metres(*place, *halt) <= within_m for halt in halts)


def _cell(lat: float, lon: float) -> tuple[int, int]:
    """More than a kilometre each way, as far north as China goes."""
    return int(lat * 100), int(lon * 50)


def shifted_by(places: Sequence[LatLon], halts: Halts, *, within_m: float = 150.0) -> Shift | None:
    """How fences around `places` look shifted, all of them alike, given where vehicles stood; all
    WGS-84."""
    here = sum(halts.near(place, within_m) for place in places)
    found = [shift for shift in _suspects(places, halts, within_m) if _proves(shift, here)]
    return max(found, key=lambda shift: shift.halts, default=None)


def _suspects(places: Sequence[LatLon], halts: Halts, within_m: float) -> Iterator[Shift]:
    for datum in (Datum.GCJ02, Datum.BD09):
        for what, moved in ((MixedUp.FENCE, to_wgs84), (MixedUp.PINGS, from_wgs84)):
            there = [moved(*place, datum) for place in places]
            shifts = [metres(*a, *b) for a, b in zip(places, there, strict=True)]
            far = [place for place, m in zip(there, shifts, strict=True) if m >= MIN_SHIFT_M]
            count = sum(halts.near(place, within_m) for place in far)
            yield Shift(what, datum, max(shifts, default=0.0), count)


def _proves(shift: Shift, here: int) -> bool:
    return shift.halts >= MIN_HALTS and shift.halts >= MIN_SHARE * (shift.halts + here)
