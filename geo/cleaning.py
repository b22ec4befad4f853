"""Which pings are positions: what a ping says of itself, then what its neighbours say of it.

How this works. `refuse` judges a ping alone, in straight-line code and not in a list of functions,
because this runs for every ping: 0.44 µs against 0.81 µs (timeit, CPython 3.11). The restatement
stands first though it needs history: most rows of a polled feed are one (95 % in the Jersey City
day), and what repeats an accepted position has already passed everything below it.

`judge` looks at the speed that two positions imply, position by position in time order. A
position that cannot be reached from the last good one is a *stray*, and waits:

- The next that can be reached from the last good one shows that the strays were wrong.
- Strays that agree with each other, `agreeing` of them over `agreeing_ms`, are right. If they can
  be reached from the position before the last good one, that last one was wrong; otherwise the
  vehicle was taken to another place (a ferry, a tunnel, a tow truck).
- Strays that keep coming from one other place, between good positions, are a second device.

So the verdict depends on the set of positions, not on the order of their arrival, and one wrong
position can neither make its neighbours look wrong nor stay unnoticed because it came first.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from geo.distance import metres
from geo.model import Ms, Ping, Rejected
from geo.spots import Spot


class Reason(StrEnum):
    """Why a ping is no position, or a plan not taken; also the label of metric and dead letter."""

    DUPLICATE = "duplicate"
    TIME_UNIT = "time_unit"
    OUT_OF_RANGE = "out_of_range"
    NULL_ISLAND = "null_island"
    CLOCK_FUTURE = "clock_future"
    TZ_SUSPECT = "tz_suspect"
    """Exactly eight hours off: local time of China sent as UTC, or the reverse."""
    ARCHIVED = "archived"
    """Older than what is remembered of the vehicle."""
    IMPLIED_SPEED = "implied_speed"
    SECOND_DEVICE = "second_device"
    """Two devices report under one vehicle id."""
    REINSTATED = "reinstated"
    """Of a ping refused for its speed: later ones show that it was a position."""
    TOO_MANY_STOPS = "too_many_stops"
    """Of a plan, not of a ping."""


class Limits(Struct, frozen=True):
    """What cleaning tolerates; the values are research/field.md §9 unless they say otherwise."""

    future_ms: int = 120_000
    """A device clock may be this far ahead of whoever received the ping."""
    zone_ms: int = 8 * 3_600_000
    """The shift that is called by its name; 0: none is."""
    max_mps: float = 160 / 3.6
    """Road speed that no truck exceeds."""
    noise_m: float = 50.0
    """Two fixes of one standing receiver may differ by this much whatever their times (field.md
    §9, standstill): all that is allowed when no time lies between them."""
    agreeing: int = 3
    """Two wrong fixes in a row may be one reflection; three that fit have moved together."""
    agreeing_ms: int = 20_000
    """A vehicle passes a reflecting front in seconds; what lasts longer is where it is."""
    returns: int = 3
    """Strays from one other place, each after a good position, that make a second device."""
    returns_ms: int = 900_000
    """As long as a vehicle may be silent: further apart they are two mishaps."""


MIN_MS = 100_000_000_000
"""March 1973 in milliseconds; as seconds the year 5138. No ping of a real device lies below."""
MAX_MS = 100_000_000_000_000
"""The year 5138 in milliseconds; as microseconds March 1973. No real device's ping lies above."""

_ACCEPTED: tuple[Rejected, ...] = ()
RESTATED = (Rejected(Reason.DUPLICATE, "ts, lat and lon are those of a position we hold"),)
_NULL_ISLAND = (
    Rejected(Reason.NULL_ISLAND, "lat and lon are both 0: send pings only when there is a fix"),
)


def refuse(ping: Ping, last: Ping | None, now: Ms, limits: Limits) -> tuple[Rejected, ...]:
    """Why `ping` alone is no position, or () if it may be one. `now` is used if `received_at` is
    absent."""
    ts, lat, lon = ping.ts, ping.lat, ping.lon
    if last is not None and ts == last.ts and lat == last.lat and lon == last.lon:
        return RESTATED
    if not MIN_MS <= ts < MAX_MS:
        return _time_unit("ts", ts)
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):  # false for nan, too
        return _out_of_range(lat, lon)
    if lat == 0.0 and lon == 0.0:
        return _NULL_ISLAND
    received_at = ping.received_at
    if received_at is None:
        return _clock_future(ts, now, limits) if ts > now + limits.future_ms else _ACCEPTED
    if ts > received_at + limits.future_ms:
        return _clock_future(ts, received_at, limits)
    if limits.zone_ms and last is not None and _is_zoned(ping, received_at, last, limits):
        return _tz_suspect(ts, received_at)
    return _ACCEPTED


def _is_zoned(ping: Ping, received_at: Ms, last: Ping, limits: Limits) -> bool:
    """Whether a fix that came eight hours late is rather of now.

    A device that empties its memory sends old fixes as well, and a parked one may be polled for
    hours. So the fix must be what comes next if its time is shifted; or, where the last one came as
    late, it must have been sent as long after that one as it was taken.
    """
    late_ms = received_at - ping.ts
    if abs(late_ms - limits.zone_ms) > limits.future_ms:
        return False
    last_late_ms = 0 if last.received_at is None else last.received_at - last.ts
    if abs(last_late_ms - limits.zone_ms) <= limits.future_ms:
        return ping.ts > last.ts and abs(late_ms - last_late_ms) <= limits.future_ms // 2
    elapsed_ms = ping.ts + limits.zone_ms - last.ts
    moved_m = metres(last.lat, last.lon, ping.lat, ping.lon)
    way_m = max(limits.max_mps * elapsed_ms / 1000.0, limits.noise_m)
    return -limits.future_ms <= elapsed_ms <= limits.returns_ms and moved_m <= way_m


def _time_unit(field: str, value: int) -> tuple[Rejected]:
    mend = "multiply seconds by 1000" if value < MIN_MS else "divide microseconds by 1000"
    return (Rejected(Reason.TIME_UNIT, f"{field} {value} is not in milliseconds: {mend}"),)


def _out_of_range(lat: float, lon: float) -> tuple[Rejected]:
    detail = f"lat {lat}, lon {lon}: lat must be within ±90 and lon within ±180 degrees"
    return (Rejected(Reason.OUT_OF_RANGE, detail),)


def _clock_future(ts: Ms, received_at: Ms, limits: Limits) -> tuple[Rejected]:
    if received_at < MIN_MS:
        return _time_unit("received_at", received_at)
    if limits.zone_ms and abs(ts - received_at - limits.zone_ms) <= limits.future_ms:
        return _tz_suspect(ts, received_at)
    ahead_s = (ts - received_at) / 1000
    detail = f"ts {ts} is {ahead_s:.0f} s after it was received: set the device's clock and zone"
    return (Rejected(Reason.CLOCK_FUTURE, detail),)


def _tz_suspect(ts: Ms, received_at: Ms) -> tuple[Rejected]:
    hours = (received_at - ts) / 3_600_000
    detail = f"ts {ts} is {hours:+.2f} h from its reception: send UTC, or declare the source's zone"
    return (Rejected(Reason.TZ_SUSPECT, detail),)


def reaches(a: Spot, b: Spot, limits: Limits) -> bool:
    """Whether a vehicle can have come from `a` to `b`, which is not before it. A frozen device
    clock says nothing about speed; then the times of reception judge."""
    moved_m = metres(a.lat, a.lon, b.lat, b.lon)
    if moved_m <= limits.noise_m:
        return True
    elapsed_ms = b.ts - a.ts
    if elapsed_ms == 0 and a.delay and b.delay:
        elapsed_ms = b.delay - a.delay
    return moved_m * 1000.0 <= limits.max_mps * elapsed_ms


class Trail(Struct, frozen=True, gc=False, array_like=True):
    """What judging the next position needs of those before it."""

    last: Spot | None = None
    """The last good position."""
    before: Spot | None = None
    """The good one before that."""
    strays: tuple[Spot, ...] = ()
    """Since `last`, agreeing with each other so far."""
    ghost: Spot | None = None
    """The last stray found wrong, until two good positions follow each other."""
    returns: int = 0
    """How often strays have come back to where the ghost was."""


class Verdict(Struct, frozen=True, gc=False):
    """A position that is none after all."""

    spot: Spot
    reason: Reason


def judge(
    trail: Trail, spot: Spot, good: list[Spot], wrong: list[Verdict], limits: Limits
) -> Trail:
    """The trail after the next position in time order. What it decides goes to `good`, in time
    order, and to `wrong`; strays that wait are in neither."""
    last, strays = trail.last, trail.strays
    if last is None or reaches(last, spot, limits):
        good.append(spot)
        if not strays:
            return Trail(spot, last)
        wrong += (Verdict(stray, name(trail, limits)) for stray in strays)
        return Trail(spot, last, (), strays[-1], trail.returns)
    if strays and reaches(strays[-1], spot, limits):
        strays = (*strays, spot)
        if len(strays) >= limits.agreeing and spot.ts - strays[0].ts >= limits.agreeing_ms:
            if _is_wrong(trail, strays[0], limits) and good and good[-1] is last:
                good.pop()
                wrong.append(Verdict(last, Reason.IMPLIED_SPEED))
            good += strays
            return Trail(strays[-1], strays[-2])
        return Trail(last, trail.before, strays, trail.ghost, trail.returns)
    wrong += (Verdict(stray, name(trail, limits)) for stray in strays)
    ghost = trail.ghost
    back = (
        ghost is not None
        and spot.ts - ghost.ts <= limits.returns_ms
        and reaches(ghost, spot, limits)
    )
    return Trail(last, trail.before, (spot,), ghost, trail.returns + 1 if back else 0)


def _is_wrong(trail: Trail, after: Spot, limits: Limits) -> bool:
    """Whether the last good position is what does not fit, not the strays after it."""
    return trail.before is None or reaches(trail.before, after, limits)


def name(trail: Trail, limits: Limits) -> Reason:
    """What is the matter with the strays of a trail."""
    return Reason.SECOND_DEVICE if trail.returns >= limits.returns else Reason.IMPLIED_SPEED


def refusal(trail: Trail, limits: Limits) -> Rejected:
    """What is said of the newest of the strays at once."""
    assert trail.last is not None
    assert trail.strays
    spot, last = trail.strays[-1], trail.last
    moved_m = metres(last.lat, last.lon, spot.lat, spot.lon)
    seconds = (spot.ts - last.ts) / 1000
    detail = f"{moved_m:.0f} m in {seconds:g} s from the last position"
    reason = name(trail, limits)
    if reason is Reason.SECOND_DEVICE:
        mend = f"{detail}, again and again: give each device an id of its own"
        return Rejected(reason, mend)
    return Rejected(reason, f"{detail}: more than {limits.max_mps * 3.6:.0f} km/h")
