"""Visits found against visits that were: precision, recall, time error, flaps.

How this works. A visit found is right if it overlaps a true stay at its stop, allowing for half a
sampling interval at either end, and no other visit has been counted for that stay. A second visit
to the same stay is a *flap*, and wrong. A visit where the vehicle only drove by is wrong too, and
counted apart. The time error is that of arrival and departure alike, in seconds, without sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median, quantiles

from msgspec import Struct

from geo.model import Ms
from load_tests.journeys import TrueStay


class Found(Struct, frozen=True):
    """A visit as one of the engines tells it."""

    stop_id: str
    arrived_at: Ms
    departed_at: Ms | None
    inferred: bool = False


class Score(Struct, frozen=True):
    """Of one engine in one scenario, or of one vehicle."""

    true: int = 0
    found: int = 0
    right: int = 0
    flaps: int = 0
    drive_bys: int = 0
    """Visits found where the vehicle only drove by."""
    taken_back: int = 0
    """Visits told on the way and later retracted, or replaced by another."""
    errors_s: tuple[float, ...] = ()
    """Of arrival and departure, against the crossing of the fence."""
    stand_errors_s: tuple[float, ...] = ()
    """The same against the time for which it stood still."""

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def median_s(self) -> float | None:
        return median(self.errors_s) if self.errors_s else None

    @property
    def p90_s(self) -> float | None:
        return quantiles(self.errors_s, n=10)[-1] if len(self.errors_s) > 1 else self.median_s

    @property
    def stand_median_s(self) -> float | None:
        return median(self.stand_errors_s) if self.stand_errors_s else None


def score(
    stays: Sequence[TrueStay], passed: frozenset[str], found: Iterable[Found], every_s: float
) -> Score:
    """Of one vehicle."""
    slack = round(every_s * 500)
    visits = sorted(found, key=lambda visit: (visit.arrived_at, visit.stop_id))
    used: set[int] = set()
    right = flaps = drive_bys = 0
    errors: list[float] = []
    stand_errors: list[float] = []
    for visit in visits:
        drive_bys += visit.stop_id in passed
        there = [n for n, stay in enumerate(stays) if _overlaps(visit, stay, slack)]
        free = [n for n in there if n not in used]
        if not free:
            flaps += bool(there)
            continue
        used.add(free[0])
        right += 1
        stay = stays[free[0]]
        errors += _errors(visit, stay.entered, stay.left)
        stand_errors += _errors(visit, stay.entered and stay.stood, stay.left and stay.moved)
    return Score(
        len(stays),
        len(visits),
        right,
        flaps,
        drive_bys,
        errors_s=tuple(errors),
        stand_errors_s=tuple(stand_errors),
    )


def _overlaps(visit: Found, stay: TrueStay, slack: int) -> bool:
    if visit.stop_id != stay.stop_id:
        return False
    entered = stay.stood if stay.entered is None else stay.entered
    left = stay.moved if stay.left is None else stay.left
    ends_before = visit.departed_at is not None and visit.departed_at < entered - slack
    return not ends_before and visit.arrived_at <= left + slack


def _errors(visit: Found, entered: Ms | None, left: Ms | None) -> list[float]:
    found = []
    if entered is not None:
        found.append(abs(visit.arrived_at - entered) / 1000)
    if left is not None and visit.departed_at is not None:
        found.append(abs(visit.departed_at - left) / 1000)
    return found


def total(scores: Iterable[Score]) -> Score:
    """Of a whole scenario."""
    scores = list(scores)
    return Score(
        sum(s.true for s in scores),
        sum(s.found for s in scores),
        sum(s.right for s in scores),
        sum(s.flaps for s in scores),
        sum(s.drive_bys for s in scores),
        sum(s.taken_back for s in scores),
        tuple(e for s in scores for e in s.errors_s),
        tuple(e for s in scores for e in s.stand_errors_s),
    )
