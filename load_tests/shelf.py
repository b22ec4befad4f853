"""What Redis shows, against the last answers of the plain run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis
from msgspec.json import Decoder
from msgspec.structs import replace

from alerts.model import Alert, State
from geo.track import Track
from load_tests.difference import difference
from load_tests.reference import Plain
from orders.lifecycle import ENDS
from orders.model import OrderStatus
from stream import keys, topics
from stream.config import Settings

AT_ONCE = 1_000
TOPICS = {keys.ORDERS: topics.ORDER_STATUS, keys.ALERTS: topics.ALERT_EVENTS}
DECODERS: dict[str, Decoder[Any]] = {
    keys.ORDERS: Decoder(OrderStatus),
    keys.ALERTS: Decoder(Alert),
}
OPEN = (State.PENDING, State.FIRING, State.RECOVERING)


class Shelf:
    """Reads a whole installation's Redis, as a socket server does when it starts."""

    def __init__(self, settings: Settings) -> None:
        self._partitions = range(settings.partitions)
        self._redis = redis.Redis.from_url(settings.redis)

    def close(self) -> None:
        self._redis.close()

    def look(self, plains: Sequence[Plain], revs: Mapping[tuple[str, str], int]) -> Iterator[str]:
        """What is wrong; `revs` are the last committed ones by topic and key."""
        try:
            for plain in plains:
                if plain.role.shows:
                    yield from self._answers(plain, revs)
                    yield from self._open(plain)
                if plain.role.row is not None:
                    yield from self._positions(plain)
        except redis.RedisError as away:
            yield f"Redis is away: {away!r}"

    def _answers(self, plain: Plain, revs: Mapping[tuple[str, str], int]) -> Iterator[str]:
        shows = plain.role.shows
        wanted = list(plain.answers.items())
        for start in range(0, len(wanted), AT_ONCE):
            chunk = wanted[start : start + AT_ONCE]
            pipe = self._redis.pipeline(transaction=False)
            for key, _ in chunk:
                pipe.hmget(keys.entity(shows, key), [keys.REV, keys.ANSWER])
            for (key, answer), (rev, value) in zip(chunk, pipe.execute(), strict=True):
                committed = revs.get((TOPICS[shows], key))
                if rev is None or int(rev) != committed:
                    yield f"{shows} {key}: Redis has rev {rev}, committed is {committed}"
                elif (got := DECODERS[shows].decode(value)).rev != committed:
                    yield f"{shows} {key}: rev {got.rev} inside, {committed} outside"
                elif _timeless(got) != _timeless(answer):
                    yield f"{shows} {key}: in Redis: {difference(got, answer)}"

    def _open(self, plain: Plain) -> Iterator[str]:
        shows = plain.role.shows
        indices = [keys.open_index(shows, number) for number in self._partitions]
        found = {_text(member) for member in self._redis.sunion(indices)}
        wanted = {key for key, answer in plain.answers.items() if _is_open(answer)}
        if found != wanted:
            yield f"open {shows}s: {len(found - wanted)} too many, {len(wanted - found)} missing"

    def _positions(self, plain: Plain) -> Iterator[str]:
        found = {}
        for number in self._partitions:
            for vehicle, row in self._redis.hgetall(keys.positions(number)).items():
                assert isinstance(row, bytes)
                found[_text(vehicle)] = keys.unpack_position(row)[:3]
        wanted = {key: at for key, track in plain.states.items() if (at := _place(track))}
        for key in sorted(found.keys() | wanted.keys()):
            if found.get(key) != wanted.get(key):
                yield f"vehicle {key}: Redis has {found.get(key)} instead of {wanted.get(key)}"


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode()


def _place(track: Track) -> tuple[int, float, float] | None:
    last = track.last
    return None if last is None else (last.ts, last.lat, last.lon)


def _is_open(answer: OrderStatus | Alert) -> bool:
    return answer.stage not in ENDS if isinstance(answer, OrderStatus) else answer.state in OPEN


def _timeless(answer: OrderStatus | Alert) -> OrderStatus | Alert:
    """An answer that was made again to fill Redis says when that was, and an alert's value grows
    with it."""
    if isinstance(answer, OrderStatus):
        return replace(answer, rev=0, reported_at=0)
    return replace(answer, rev=0, reported_at=0, value=0.0)
