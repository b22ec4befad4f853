"""Everything asked of one vehicle, where it is with that, and what its orders were last told."""

from __future__ import annotations

from msgspec import Struct

from geo.calls import Calls
from geo.claims import ALWAYS, Claim
from geo.model import Motion, Ms, Ping


class Place(Struct, frozen=True, gc=False, array_like=True):
    ts: Ms
    lat: float
    lon: float


class Plans(Struct, frozen=True, gc=False, array_like=True):
    claims: tuple[Claim, ...] = ()
    """One per (order, stop): of stops that a plan names twice, the first. Ended ones too."""
    calls: Calls = Calls()
    sighted: Place | None = None
    """What the orders were last told."""
    motion: Motion = Motion.MOVING


def place_of(position: Ping) -> Place:
    return Place(position.ts, position.lat, position.lon)


def orders_of(plans: Plans) -> list[str]:
    """The orders that have stops on this vehicle now, each once."""
    open_ = (c.order_id for c in plans.claims if c.until == ALWAYS and c.order_id is not None)
    return list(dict.fromkeys(open_))


def is_asked(plans: Plans) -> bool:
    """Whether anything is left to look for or to end."""
    return bool(plans.claims or plans.calls.stays)
