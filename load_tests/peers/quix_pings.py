"""Quix Streams doing what the vehicles agent does; a vehicle's state in a plain dict.

Its own keyed state (RocksDB) costs more than the rest together, so this is in its favour.
"""

from __future__ import annotations

import logging
import tempfile
from typing import Any

from quixstreams import Application

from geo.model import Rejected
from geo.track import World, step
from load_tests.peers.task import Positions, Tally, Task, read_task
from stream.topics import PINGS
from stream.wire import decode_pings


def run(task: Task) -> None:
    world = World()
    tally, positions, states = Tally(task), Positions(task), dict[str, Any]()
    app = Application(
        broker_address=task.brokers,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=5.0,
        state_dir=tempfile.mkdtemp(prefix="milepost-quix-"),
        consumer_extra_config={"queued.min.messages": 1_000_000, "fetch.queue.backoff.ms": 5},
        loglevel=logging.ERROR,
    )
    topic = app.topic(task.prefix + PINGS, value_deserializer="bytes", key_deserializer="bytes")

    def take(value: bytes, key: bytes, timestamp: int, headers: object) -> None:
        for ping in decode_pings(value):
            if isinstance(ping, Rejected):
                continue
            name = ping.vehicle_id
            states[name], _ = step(states.get(name), ping, timestamp, world)
            positions.rows[name] = ping
        if tally.count % 1_000 == 0:
            positions.show_sometimes()
        tally.add(1)

    app.dataframe(topic).update(take, metadata=True)
    app.run()


if __name__ == "__main__":
    run(read_task())
