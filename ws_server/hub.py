"""Who is to be told what. Nothing is sent here: what is to be sent comes out as `Delivery`.

How this works. A channel is a topic as one role sees it, and lives as long as somebody subscribes
to it. It begins by *loading*: whatever changes meanwhile is kept, the newest of each item. When
what Redis holds has been read (`loaded`), the newer of both is what everyone who waits is told as a
snapshot; from then on changes go out as they come. As every change is a whole answer with its
`rev`, this leaves no gap and needs no log.

After the feed was lost (`reset`) every channel loads again, and its snapshot replaces what the
clients hold. So one path serves the first look, a lost feed and a restarted process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Raw, Struct

from geo.model import Ms
from orders.lifecycle import ENDS
from stream.keys import Position
from ws_server.outbox import Outbox, Piece, piece
from ws_server.protocol import (
    ALERTS,
    FLEET,
    ORDER,
    ORDERS,
    AlertSaid,
    Code,
    Delta,
    Err,
    Item,
    Role,
    Snap,
    Sub,
    Synced,
)
from ws_server.views import (
    Head,
    alert_of,
    fields_of,
    head_of,
    is_over,
    positions,
    with_sentences,
)

TOPICS_OF = {Role.CUSTOMER: 16, Role.DISPATCHER: 128}
WAITING_BYTES = {Role.CUSTOMER: 256 * 1024, Role.DISPATCHER: 16 * 1024 * 1024}
"""A dispatcher's snapshot of some 20,000 open orders may have to wait."""
CHUNK_BYTES = 60_000


class Grant(Struct, frozen=True):
    """What a token allows."""

    subject: str
    role: Role
    expires_at: Ms
    orders: tuple[str, ...] = ()


class Session:
    """One client."""

    __slots__ = ("grant", "outbox", "topics")

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.topics: set[str] = set()
        self.outbox = Outbox(WAITING_BYTES[grant.role])


class Key(NamedTuple):
    """A topic as one role sees it."""

    topic: str
    role: Role


# Not looked up for each change: before Python 3.12 a member of an Enum costs as much as a Key.
_CUSTOMER, _DISPATCHER = Role.CUSTOMER, Role.DISPATCHER
_ALL_ORDERS = Key(ORDERS, _DISPATCHER)


class Delivery(NamedTuple):
    to: Iterable[Session]
    what: Piece


class Held(Struct, frozen=True, gc=False):
    """An item, as JSON: so it costs few bytes while nothing happens."""

    rev: int
    value: bytes
    carried_by: str | None = None

    @classmethod
    def status(cls, head: Head, value: bytes) -> Held:
        return cls(head.rev, value, head.carried_by)


@dataclass(slots=True)
class Channel:
    sessions: set[Session] = field(default_factory=set)
    items: dict[str, Held] = field(default_factory=dict)
    waiting: list[Session] | None = field(default_factory=list)
    """Who is to have the snapshot that is being loaded; None: nothing is being loaded."""
    at: dict[str, Position] = field(default_factory=dict)
    """Where the order's vehicle is. Positions of the fleet are not kept."""
    shown: dict[str, Raw] | None = None
    """The fields of an order as it is held, if they were told as a change: what changes often is
    not taken apart twice, what rests costs no memory."""


class Hub:
    """Channels and the sessions in them."""

    def __init__(self) -> None:
        self.channels: dict[Key, Channel] = {}
        self.wanted: set[Key] = set()
        """Channels that are to be loaded."""
        self._carried: dict[str, set[Key]] = {}
        """Vehicle to the channels of the orders it carries."""

    # What clients ask.

    def subscribe(self, session: Session, asked: Sub, now: Ms) -> Iterator[Delivery]:
        """Answers with the snapshot, or with an `Err`; while a channel is loading, `loaded`
        answers."""
        topic, refused = asked.topic, _refusal(session, asked)
        if refused is not None:
            yield Delivery((session,), piece(refused))
            return
        if topic in session.topics:
            self.unsubscribe(session, topic)  # Asked again, it is told again.
        session.topics.add(topic)
        key = Key(topic, session.grant.role)
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel()
            self.wanted.add(key)
        channel.sessions.add(session)
        if channel.waiting is not None:
            channel.waiting.append(session)
        elif topic == FLEET:
            channel.waiting = [session]
            self.wanted.add(key)
        else:
            yield from _snapshot(key, channel, (session,), now)

    def unsubscribe(self, session: Session, topic: str) -> None:
        session.topics.discard(topic)
        key = Key(topic, session.grant.role)
        channel = self.channels.get(key)
        if channel is None:
            return
        channel.sessions.discard(session)
        if channel.waiting is not None:
            channel.waiting = [other for other in channel.waiting if other is not session]
        if not channel.sessions:
            if topic.startswith(ORDER):
                for held in channel.items.values():
                    self._carry(key, held.carried_by, None)
            del self.channels[key]
            self.wanted.discard(key)

    def leave(self, session: Session) -> None:
        """The client is gone."""
        for topic in list(session.topics):
            self.unsubscribe(session, topic)

    # What Redis holds.

    def reset(self) -> None:
        """The feed has a gap: every channel is to be loaded, and told, again."""
        for key, channel in self.channels.items():
            channel.waiting = list(channel.sessions)
            if key.topic in (ORDERS, ALERTS):
                channel.items = {}  # What ended in the gap is not told again.
            self.wanted.add(key)

    def loaded(
        self, key: Key, values: Iterable[bytes], at: Mapping[str, Position], now: Ms
    ) -> Iterator[Delivery]:
        """What Redis holds of a channel: answers, and positions by vehicle."""
        channel = self.channels.get(key)
        if channel is None or channel.waiting is None:
            return
        for value in values:
            self._hold(key, channel, *_item(key, value))
        for name in [n for n, held in channel.items.items() if is_over(key.topic, held.value)]:
            del channel.items[name]
        to, channel.waiting = channel.waiting, None
        if key.topic == FLEET:
            for what in positions(FLEET, dict(at), now):
                yield Delivery(to, what)
        else:
            for vehicle, where in at.items():
                self._place(channel, vehicle, where)
        yield from _snapshot(key, channel, to, now)

    # What changes.

    def status(self, head: Head, value: bytes) -> Iterator[Delivery]:
        """An order's answer changed."""
        topic, new = ORDER + head.order_id, Held.status(head, value)
        for key in (Key(topic, _CUSTOMER), Key(topic, _DISPATCHER), _ALL_ORDERS):
            channel = self.channels.get(key)
            if channel is not None:
                told = self._change(key, channel, head, new)
                if told is not None:
                    yield Delivery(channel.sessions, piece(told))

    def alert(self, value: bytes) -> Iterator[Delivery]:
        """An alert changed."""
        key = Key(ALERTS, Role.DISPATCHER)
        channel = self.channels.get(key)
        if channel is None:
            return
        alert = alert_of(value)
        new = Held(alert.rev, value)
        if not self._hold(key, channel, alert.alert_id, new) or channel.waiting is not None:
            return
        if is_over(ALERTS, value):
            del channel.items[alert.alert_id]
        said = AlertSaid(ALERTS, alert.alert_id, alert.rev, Raw(with_sentences(alert)))
        yield Delivery(channel.sessions, piece(said))

    def moved(self, at: Mapping[str, Position], now: Ms) -> Iterator[Delivery]:
        """Vehicles have new positions."""
        fleet = self.channels.get(Key(FLEET, Role.DISPATCHER))
        if fleet is not None:
            for what in positions(FLEET, dict(at), now):
                yield Delivery(fleet.sessions, what)
        if not self._carried:
            return
        for vehicle, where in at.items():
            for key in self._carried.get(vehicle, ()):
                channel = self.channels[key]
                if self._place(channel, vehicle, where) and channel.waiting is None:
                    for what in positions(key.topic, {vehicle: where}, now):
                        yield Delivery(channel.sessions, what)

    # Shared by them.

    def _hold(self, key: Key, channel: Channel, name: str, new: Held) -> bool:
        """Keep an item if it is newer than what is held."""
        old = channel.items.get(name)
        if old is not None and new.rev <= old.rev:
            return False
        channel.items[name] = new
        channel.shown = None
        before = old.carried_by if old is not None else None
        if before != new.carried_by and key.topic.startswith(ORDER):
            self._carry(key, before, new.carried_by)
            channel.at = {}
        return True

    def _carry(self, key: Key, before: str | None, after: str | None) -> None:
        if before is not None:
            self._carried[before].discard(key)
            if not self._carried[before]:
                del self._carried[before]
        if after is not None:
            self._carried.setdefault(after, set()).add(key)

    def _place(self, channel: Channel, vehicle: str, where: Position) -> bool:
        """The order's vehicle is here. Not if it is another's, was there before or stands there
        already: the feed goes on from a time before that of the snapshot."""
        held = channel.at.get(vehicle)
        carriers = {item.carried_by for item in channel.items.values()}
        old = held is not None and (held.ts > where.ts or held == where)
        if old or vehicle not in carriers:
            return False
        channel.at = {vehicle: where}
        return True

    def _change(self, key: Key, channel: Channel, head: Head, new: Held) -> Delta | None:
        """Keep a status; what to tell of it, if anything."""
        name, old, before = head.order_id, channel.items.get(head.order_id), channel.shown
        if not self._hold(key, channel, name, new) or channel.waiting is not None:
            return None
        fields = fields_of(new.value, key.topic, key.role)
        if key.topic == ORDERS:
            if head.stage in ENDS:
                del channel.items[name]
            return Delta(ORDERS, name, head.rev, fields)
        if old is None:
            return Delta(key.topic, name, head.rev, fields)
        before = before or fields_of(old.value, key.topic, key.role)
        channel.shown = fields
        changed = {k: v for k, v in fields.items() if before.get(k) != v}
        return Delta(key.topic, name, head.rev, changed, old.rev)


def _item(key: Key, value: bytes) -> tuple[str, Held]:
    """An answer as an item of a channel: its name, and what is held of it."""
    if key.topic == ALERTS:
        alert = alert_of(value)
        return alert.alert_id, Held(alert.rev, value)
    head = head_of(value)
    return head.order_id, Held.status(head, value)


def _refusal(session: Session, asked: Sub) -> Err | None:
    """Why a session may not subscribe. Whether an order exists makes no difference."""
    topic, role = asked.topic, session.grant.role
    order = topic.removeprefix(ORDER) if topic.startswith(ORDER) else None
    if not order and topic not in (ORDERS, FLEET, ALERTS):
        known = f"{ORDER}ID, {ORDERS}, {FLEET} or {ALERTS}"
        said = f"no topic is called so; subscribe to {known}"
        return Err(Code.NO_SUCH_TOPIC, said, topic, asked.id)
    if role is not Role.DISPATCHER and order not in session.grant.orders:
        return Err(Code.FORBIDDEN, "the token does not allow this topic", topic, asked.id)
    if len(session.topics) >= TOPICS_OF[role] and topic not in session.topics:
        said = f"{TOPICS_OF[role]} topics at most: unsub one first"
        return Err(Code.TOO_MANY_TOPICS, said, topic, asked.id)
    return None


def _snapshot(key: Key, channel: Channel, to: Iterable[Session], now: Ms) -> Iterator[Delivery]:
    """Each part is made when it is asked for, so none is older than a change told before it."""
    if key.topic != FLEET:
        for part, items in enumerate(_parts(key, channel)):
            yield Delivery(to, piece(Snap(key.topic, items, part)))
    for what in positions(key.topic, channel.at, now):
        yield Delivery(to, what)
    yield Delivery(to, piece(Synced(key.topic, now)))


def _parts(key: Key, channel: Channel) -> Iterator[list[Item]]:
    """At least one, be it empty: it replaces what the client held."""
    items: list[Item] = []
    size, first = 0, True
    for name in list(channel.items):
        held = channel.items.get(name)
        if held is None:
            continue  # It ended since the part before.
        if size and size + len(held.value) > CHUNK_BYTES:
            yield items
            items, size, first = [], 0, False
        items.append(Item(name, held.rev, _data(key, held)))
        size += len(held.value)
    if items or first:
        yield items


def _data(key: Key, held: Held) -> Raw | dict[str, Raw]:
    if key.topic == ALERTS:
        return Raw(with_sentences(alert_of(held.value)))
    return fields_of(held.value, key.topic, key.role)
