"""What one client is still to be told while its socket is full.

How this works. As long as a socket takes what it is given, `offer` hands each frame straight
through. Once more than `FULL_BYTES` wait in it, pieces are kept here instead: positions by vehicle
and changes by item, the newest of each, so that what waits is bounded by how much there is and not
by how long the client sleeps; snapshots, alerts and answers as they are, since none may be left
out. The order is kept, but for a position or a change that takes the place of its predecessor.

Nobody waits for ever: a client that takes nothing for `STALLED_S`, or for whom more than `most`
bytes wait, is `slow` and to be disconnected. One that is merely slow keeps up by conflation.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count

from msgspec import Raw, Struct
from msgspec.structs import replace

from ws_server.protocol import Delta, Pos, Snap, Told, frame

FULL_BYTES = 65_536
STALLED_S = 10.0


class Piece(Struct, frozen=True, gc=False):
    """A message and its frame, shared by all who are to have it."""

    told: Told
    frame: bytes
    vehicles: tuple[str, ...] = ()
    """Of a `Pos`: whose rows they are, in their order."""


def piece(told: Told, vehicles: tuple[str, ...] = ()) -> Piece:
    return Piece(told, frame(told), vehicles)


@dataclass(slots=True)
class _Kept:
    """A piece that waits. `rows` are the positions it has come to hold, by vehicle."""

    piece: Piece
    size: int
    rows: dict[str, Raw] | None = None

    def made(self) -> bytes:
        told = self.piece.told
        if self.rows is None or not isinstance(told, Pos):
            return self.piece.frame
        return frame(replace(told, v=list(self.rows.values())))


class Outbox:
    """The pieces of one client."""

    __slots__ = ("_kept", "_next", "_snaps", "_taken_to", "bytes", "conflated", "most", "moved_at")

    def __init__(self, most: int) -> None:
        """`most`: so many bytes may wait here."""
        self.most = most
        self.bytes = 0
        """Of what waits here."""
        self.conflated = 0
        """Pieces that took the place of another, so far."""
        self.moved_at = 0.0
        """When the socket last took anything, as long as something waits."""
        self._taken_to = 0
        self._kept: dict[Hashable, _Kept] = {}
        self._next = count()
        self._snaps = 0

    def __len__(self) -> int:
        return len(self._kept)

    def offer(self, given: Piece, buffered: int, now: float) -> bytes | None:
        """What to write at once, or None if the piece has to wait. `buffered` bytes are in the
        socket's buffer; `now` is in seconds of any clock that only goes forward."""
        if not self._kept:
            if buffered <= FULL_BYTES:
                return given.frame
            self.moved_at, self._taken_to = now, buffered
        self._keep(given)
        return None

    def take(self, buffered: int, now: float) -> list[bytes]:
        """What may be written now; to be called again and again until nothing waits."""
        if buffered < self._taken_to:
            self.moved_at = now
        taken: list[bytes] = []
        while self._kept and buffered <= FULL_BYTES:
            made = self._pop(next(iter(self._kept))).made()
            taken.append(made)
            buffered += len(made)
        self._taken_to = buffered
        return taken

    def is_slow(self, now: float) -> bool:
        """Whether to give this client up."""
        stalled = now - self.moved_at > STALLED_S
        return bool(self._kept) and (stalled or self.bytes > self.most)

    def _keep(self, given: Piece) -> None:
        match given.told:
            case Pos():
                self._keep_positions(given, given.told)
            case Delta():
                self._keep_change(given, given.told)
            case Snap(topic=topic, part=0):
                self._forget(topic)
                self._keep_snap(given)
            case Snap():
                self._keep_snap(given)
            case _:
                self._put(next(self._next), given)

    def _keep_positions(self, given: Piece, told: Pos) -> None:
        name, rows = (Pos, told.topic), dict(zip(given.vehicles, told.v, strict=True))
        if (held := self._kept.get(name)) is None or held.rows is None:
            self._put(name, given, rows)
            return
        self.conflated += 1
        new = sum(memoryview(row).nbytes for name, row in rows.items() if name not in held.rows)
        held.rows |= rows
        held.size += new
        self.bytes += new

    def _keep_snap(self, given: Piece) -> None:
        """What changes from now on must follow it: told before it, the end of an item would be
        forgotten by the time that the item comes."""
        self._snaps += 1
        self._put(next(self._next), given)

    def _keep_change(self, given: Piece, told: Delta) -> None:
        name = (Delta, told.topic, told.id, self._snaps)
        held = self._kept.get(name)
        if held is None:
            self._put(name, given)
            return
        assert isinstance(held.piece.told, Delta)
        self.conflated += 1
        after = piece(merged(held.piece.told, told))
        self.bytes += len(after.frame) - held.size
        held.piece, held.size = after, len(after.frame)

    def _forget(self, topic: str) -> None:
        """A snapshot follows, and what waits of its topic is in it."""
        for name, held in list(self._kept.items()):
            told = held.piece.told
            if isinstance(told, Snap | Delta | Pos) and told.topic == topic:
                self._pop(name)
                self.conflated += 1

    def _put(self, name: Hashable, given: Piece, rows: dict[str, Raw] | None = None) -> None:
        self._kept[name] = _Kept(given, len(given.frame), rows)
        self.bytes += len(given.frame)

    def _pop(self, name: Hashable) -> _Kept:
        held = self._kept.pop(name)
        self.bytes -= held.size
        return held


def merged(first: Delta, second: Delta) -> Delta:
    """Two changes of one item, one after the other, as one."""
    if second.prev is None:
        return second
    return replace(second, prev=first.prev, set=first.set | second.set)
