"""What a client is shown of a status, an alert or a position: the fields that are its to see."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from alerts.labels import Language, sentence
from alerts.model import Alert, State
from geo.model import Ms
from orders.lifecycle import ENDS
from orders.model import Stage
from stream.keys import Position
from ws_server.outbox import Piece, piece
from ws_server.protocol import ALERTS, ORDERS, Pos, Role

UNDER_WAY = (Stage.OUTBOUND, Stage.IN_TRANSIT)
"""Only then is where a vehicle is a matter of the order, and its customer's to see."""

NOT_A_CUSTOMERS = ("errors", "last_error")
OPEN_ALERTS = (State.PENDING, State.FIRING, State.RECOVERING)
ROWS_PER_FRAME = 1_000

_NULL = Raw(b"null")
_encode = msgspec.json.Encoder().encode
_UNDER_WAY = tuple(Raw(_encode(stage)) for stage in UNDER_WAY)
_fields = msgspec.json.Decoder(dict[str, Raw]).decode


class Head(Struct, frozen=True, gc=False):
    """What is needed of a status to know whom it concerns."""

    order_id: str
    rev: int
    stage: Stage
    vehicle_id: str | None
    reported_at: Ms = 0

    @property
    def carried_by(self) -> str | None:
        """The vehicle the order is on now."""
        return self.vehicle_id if self.stage in UNDER_WAY else None


head_of = msgspec.json.Decoder(Head).decode
alert_of = msgspec.json.Decoder(Alert).decode


def fields_of(value: bytes, topic: str, role: Role) -> dict[str, Raw]:
    """The fields of a status that a topic shows to a role, but for `rev`, which stands beside
    them."""
    fields = _fields(value)
    del fields["rev"]
    if topic == ORDERS:
        fields.pop("milestones", None)
    if role is Role.CUSTOMER:
        for name in NOT_A_CUSTOMERS:
            fields.pop(name, None)
        if fields["stage"] not in _UNDER_WAY:
            fields["seen"] = _NULL
    return fields


def with_sentences(alert: Alert) -> bytes:
    """The fields of an alert, and what it says in both languages."""
    said = {language.value: sentence(alert, language) for language in Language}
    return _encode({**msgspec.structs.asdict(alert), **said})


def is_over(topic: str, value: bytes) -> bool:
    """Whether an item of a list is no longer open."""
    if topic == ORDERS:
        return head_of(value).stage in ENDS
    return topic == ALERTS and alert_of(value).state not in OPEN_ALERTS


def positions(topic: str, at: dict[str, Position], now: Ms) -> Iterator[Piece]:
    """Vehicles' positions, so many in a frame."""
    names = tuple(at)
    rows = [Raw(_encode((vehicle, *where))) for vehicle, where in at.items()]
    for start in range(0, len(rows), ROWS_PER_FRAME):
        some = slice(start, start + ROWS_PER_FRAME)
        yield piece(Pos(topic, now, rows[some]), names[some])
