"""A partition's checkpoints on Kafka: fence the last owner, load what it committed, commit more.

The transactional id belongs to application, role and partition. Starting a producer with it ends
the last owner's open transaction and makes the broker refuse whatever that owner still wants to
write, so between `open` and `close` there is one writer. A checkpoint is one transaction: outputs,
changed states (one record per key, and one more for a large part of it) and one record with the
input offsets. Readers who read committed see all of it or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec.structs import replace

from stream.config import Settings
from stream.partition import Checkpoint, Marker
from stream.role import Role

MARKER_KEY = b"\x00checkpoint"
STATE_PREFIX = b"="
"""Before every state key, so that no vehicle can be called like the marker."""
PART_PREFIX = b"+"
"""Before the key of a part that is kept apart from its state."""
TRANSACTION_TIMEOUT_MS = 15_000
COMMIT_LIMIT_S = 30.0
LOAD_LIMIT_S = 120.0
BATCH_BYTES = 900_000

_pack = msgspec.msgpack.Encoder().encode


class Store:
    """The checkpoints of one partition of one role."""

    def __init__(self, role: Role, number: int, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(role.state_topic)
        self._number = number
        self._decode_state = msgspec.msgpack.Decoder(tuple[int, role.state]).decode  # type: ignore[name-defined]
        self._apart = role.apart
        self._decode_part = msgspec.msgpack.Decoder(role.apart.type if role.apart else None).decode
        self._decode_marker = msgspec.msgpack.Decoder(Marker).decode
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.brokers,
            transactional_id=f"{settings.app}-{role.name}-{number}",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            # Snappy: aiokafka's lz4 is level 9, 9 us a state on the event loop, against 0.5.
            compression_type="snappy",
            max_batch_size=BATCH_BYTES,
        )

    async def open(self) -> tuple[list[tuple[str, int, Any]], Marker | None]:
        """Fence the last owner, then load (key, rev, state) and the marker of what it committed."""
        async with asyncio.timeout(LOAD_LIMIT_S):
            await self._producer.start()
            return await self._load()

    async def close(self) -> None:
        await self._producer.stop()

    async def commit(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, all or nothing.

        After an exception it may or may not have been committed: only loading tells.
        """
        await asyncio.wait_for(self._commit(checkpoint), COMMIT_LIMIT_S)

    async def _commit(self, checkpoint: Checkpoint) -> None:
        async with self._producer.transaction():
            sent = []
            for (topic, number), rows in checkpoint.outputs.items():
                sent += await self._send(self._settings.topic(topic), number, rows)
            sent += await self._send(self._topic, self._number, _records(checkpoint))
            await asyncio.gather(*sent)

    async def _send(
        self, topic: str, number: int, rows: Iterable[tuple[bytes, bytes | None]]
    ) -> list[asyncio.Future[Any]]:
        sent = []
        batch = self._producer.create_batch()
        for key, value in rows:
            if batch.append(key=key or None, value=value, timestamp=None) is None:
                sent.append(await self._producer.send_batch(batch, topic, partition=number))
                batch = self._producer.create_batch()
                batch.append(key=key or None, value=value, timestamp=None)
        if batch.record_count():
            sent.append(await self._producer.send_batch(batch, topic, partition=number))
        return sent

    async def _load(self) -> tuple[list[tuple[str, int, Any]], Marker | None]:
        tp = TopicPartition(self._topic, self._number)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.brokers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            # Not a later `seek_to_beginning`: it races the reset to the default, which is the end.
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            check_crcs=self._settings.check_crcs,
        )
        await consumer.start()
        try:
            consumer.assign([tp])
            # With read_committed this is the last stable offset; nothing is open after the fencing.
            end = (await consumer.end_offsets([tp]))[tp]
            latest: dict[bytes, bytes | None] = {}
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=200)).values():
                    latest.update((record.key, record.value) for record in records)
        finally:
            await consumer.stop()
        return self._decode(latest)

    def _decode(
        self, latest: dict[bytes, bytes | None]
    ) -> tuple[list[tuple[str, int, Any]], Marker | None]:
        marker = latest.pop(MARKER_KEY, None)
        states = []
        for key, value in latest.items():
            if value is not None and key.startswith(STATE_PREFIX):
                rev, state = self._decode_state(value)
                part = latest.get(PART_PREFIX + key.removeprefix(STATE_PREFIX))
                if part is not None and self._apart is not None:
                    state = replace(state, **{self._apart.field: self._decode_part(part)})
                states.append((key.removeprefix(STATE_PREFIX).decode(), rev, state))
        return states, None if marker is None else self._decode_marker(marker)


def _records(checkpoint: Checkpoint) -> Iterable[tuple[bytes, bytes | None]]:
    for key, rev, state in checkpoint.states:
        value = None if state is None else _pack((rev, state))
        yield STATE_PREFIX + key.encode(), value
    for key, part in checkpoint.parts:
        yield PART_PREFIX + key.encode(), None if part is None else _pack(part)
    yield MARKER_KEY, _pack(checkpoint.marker)
