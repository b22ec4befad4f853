"""The ceiling: plain aiokafka and msgspec, every message decoded and counted, nothing done with
it."""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaConsumer

from load_tests.peers.task import Tally, Task, read_task
from stream.topics import ORDER_EVENTS, PINGS
from stream.wire import decode_orders, decode_pings


async def run(task: Task, topic: str) -> None:
    decode = decode_pings if topic == PINGS else decode_orders
    consumer = AIOKafkaConsumer(
        task.prefix + topic,
        bootstrap_servers=task.brokers,
        group_id=task.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    tally = Tally(task)
    while True:
        fetched = await consumer.getmany(timeout_ms=100)
        for records in fetched.values():
            tally.add(sum([len(decode(record.value)) for record in records]))


if __name__ == "__main__":
    asyncio.run(run(read_task(), {"pings": PINGS, "orders": ORDER_EVENTS}[sys.argv[2]]))
