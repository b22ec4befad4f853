"""Halts, trips and speeding as told, against what is known now: the difference is to be told.

Each is known by its kind and its beginning. What began before the positions that were looked at
again, and is over, stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from geo.model import Id, Ms, Speeding
from geo.motion import Move, Roam, pending_since, standing

Key = tuple[type[Move], Ms]

CLOSE_MS = 600_000
"""A late position so near a move in time may say something about it."""


def moves_after(
    told: Sequence[Move],
    begin: Roam,
    end: Roam,
    found: Iterable[Move],
    vehicle_id: Id,
    thin_until: Ms = 0,
    new: Sequence[Ms] = (),
) -> tuple[tuple[Move, ...], list[Move]]:
    """The moves told after positions that led from `begin` to `end` and on the way to `found`, and
    what to tell. Before `thin_until` some positions were left out since: there a move is only
    judged again if a `new` one lies near it."""
    by_key = {_key(m): m for m in told}
    fixed = [m for m in told if _is_fixed(m, thin_until, new)]
    known = {_key(m): m for m in (*found, *standing(end, vehicle_id))}
    says: list[Move] = []
    for key, move in known.items():
        held = by_key.get(key)
        if (held is None or _says_other(move, held)) and not _is_among(move, fixed):
            says.append(move)
            by_key[key] = move
    for move in told:
        if _key(move) not in known and move not in fixed and _is_judged(move, begin):
            del by_key[_key(move)]
            says.append(replace(move, retracted=True))
    return tuple(by_key.values()), says


def _key(move: Move) -> Key:
    return type(move), move.since


def _is_fixed(move: Move, thin_until: Ms, new: Sequence[Ms]) -> bool:
    if move.until is None or move.until >= thin_until:
        return False
    return not any(move.since - CLOSE_MS <= ts <= move.until + CLOSE_MS for ts in new)


def _is_among(move: Move, fixed: Iterable[Move]) -> bool:
    return any(
        type(m) is type(move)
        and m.until is not None
        and m.until >= move.since
        and (move.until is None or move.until >= m.since)
        for m in fixed
    )


def _is_judged(move: Move, begin: Roam) -> bool:
    """Whether the positions since `begin` would have told it."""
    if isinstance(move, Speeding):
        return begin.last is None or move.until >= begin.last.ts
    return move.since >= pending_since(begin)


def _says_other(move: Move, held: Move) -> bool:
    """A halt that goes on says nothing new by going on."""
    return move != held and (move.until is not None or held.until is not None)
