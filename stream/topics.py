"""Every topic Milepost reads or writes, and what it must look like on the broker.

Topics that meet in one agent share key and partition count; Milepost gives all of them the same
count, so that one number is to be right. `partition_of` is Kafka's own default (murmur2 of the
key), the one the Java client, aiokafka and librdkafka's `murmur2_random` use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import unpack_from

PINGS = "gps.pings"
PLANS = "vehicle.plans"
VEHICLE_FACTS = "vehicle.facts"
VEHICLE_MOVES = "vehicle.moves"
ORDER_EVENTS = "orders.events"
ORDER_FACTS = "order.facts"
ORDER_STATUS = "order.status"
SIGNALS = "alert.signals"
ALERT_EVENTS = "alert.events"
DEAD_LETTERS = "dead.letters"
VEHICLE_STATE = "milepost.vehicles.state"
ORDER_STATE = "milepost.orders.state"
ALERT_STATE = "milepost.alerts.state"

DAY_MS = 86_400_000

_SEED, _MIX, _U32 = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF
"""Kafka's seed, MurmurHash2's multiplier, and 32 bits."""


@dataclass(frozen=True)
class TopicSpec:
    """`append_time`: the broker stamps arrival, which is the engine's `now`. So all input has it: a
    sender's stamp would be as old as its transaction, however long the broker was away before that
    could be committed."""

    name: str
    key: str
    what: str
    compacted: bool = False
    append_time: bool = False
    retention_ms: int = 7 * DAY_MS

    def config(self) -> dict[str, str]:
        """The topic's settings as Kafka names them."""
        stamp = {"message.timestamp.type": "LogAppendTime"} if self.append_time else {}
        if self.compacted:
            return {
                **stamp,
                "cleanup.policy": "compact",
                "min.cleanable.dirty.ratio": "0.2",
                "segment.ms": "3600000",
            }
        return {**stamp, "cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}


TOPICS = (
    TopicSpec(PINGS, "vehicle", "vehicle pings, untrusted", append_time=True),
    TopicSpec(
        PLANS,
        "vehicle",
        "which stops an order gives a vehicle",
        append_time=True,
        retention_ms=30 * DAY_MS,
    ),
    TopicSpec(VEHICLE_FACTS, "vehicle", "visits, silences and gaps of vehicles"),
    TopicSpec(VEHICLE_MOVES, "vehicle", "halts, trips and speeding of vehicles without orders"),
    TopicSpec(ORDER_EVENTS, "order", "what the order system says", append_time=True),
    TopicSpec(ORDER_FACTS, "order", "visits and sightings that concern an order", append_time=True),
    TopicSpec(ORDER_STATUS, "order", "the current status of each order", compacted=True),
    TopicSpec(SIGNALS, "scope", "what the alert rules listen to", append_time=True),
    TopicSpec(ALERT_EVENTS, "alert", "the current state of each alert", compacted=True),
    TopicSpec(
        DEAD_LETTERS, "none", "what could not be taken, with its reason", retention_ms=30 * DAY_MS
    ),
    TopicSpec(VEHICLE_STATE, "vehicle", "checkpoints of the vehicles agent", compacted=True),
    TopicSpec(ORDER_STATE, "order", "checkpoints of the orders agent", compacted=True),
    TopicSpec(ALERT_STATE, "scope", "checkpoints of the alerts agent", compacted=True),
)


@lru_cache(maxsize=1_000)  # One message's outputs share a key; holding every key gained no more.
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, as Kafka's default partitioner has it."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits with Kafka's seed. aiokafka's own goes byte by byte."""
    words, rest = divmod(len(data), 4)
    digest = _SEED ^ len(data)
    for word in unpack_from(f"<{words}I", data):
        word = word * _MIX & _U32
        word = (word ^ word >> 24) * _MIX & _U32
        digest = digest * _MIX & _U32 ^ word
    if rest:
        digest = (digest ^ int.from_bytes(data[-rest:], "little")) * _MIX & _U32
    digest = (digest ^ digest >> 13) * _MIX & _U32
    return digest ^ digest >> 15
