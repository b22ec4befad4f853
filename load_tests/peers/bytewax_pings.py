"""Bytewax doing what the vehicles agent does; its lists of records are decoded as lists.

`keyed`: each vehicle's state in Bytewax's own keyed state, without a recovery store. `dict`: the
state in a plain dict of ours, which Bytewax could not recover: the fastest there is. Neither keeps
what Milepost keeps.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from geo.model import Ping
from geo.track import World, step
from load_tests.peers.task import Positions, Tally, Task, read_task
from stream.topics import PINGS
from stream.wire import decode_pings

BATCH = 4_096
WORLD = World()


def _source(task: Task) -> KafkaSource:
    tuned = {
        "group.id": task.group,
        "queued.min.messages": "1000000",
        "fetch.queue.backoff.ms": "5",
    }
    return KafkaSource(
        [task.brokers], [task.prefix + PINGS], tail=True, batch_size=BATCH, add_config=tuned
    )


class _Counted(StatelessSinkPartition[Any], DynamicSink[Any]):
    """Counts and shows what has come to the end of the flow."""

    def __init__(self, tally: Tally, positions: Positions) -> None:
        self._tally = tally
        self._positions = positions

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Counted:
        return self

    def write_batch(self, items: list[Any]) -> None:
        self._positions.show_sometimes()
        self._tally.add(len(items))


def _pings(messages: list[Any]) -> list[tuple[str, tuple[Ping, int]]]:
    return [
        (ping.vehicle_id, (ping, message.timestamp[1]))
        for message in messages
        for ping in decode_pings(message.value)
        if type(ping) is Ping
    ]


def keyed(task: Task) -> Dataflow:
    tally, positions, flow = Tally(task), Positions(task), Dataflow("pings")

    def take(state: Any, given: tuple[Ping, int]) -> tuple[Any, None]:
        ping, now = given
        new, _ = step(state, ping, now, WORLD)
        positions.rows[ping.vehicle_id] = ping
        return new, None

    decoded = op.flat_map_batch("decode", op.input("in", flow, _source(task)), _pings)
    stepped = op.stateful_map("step", decoded, take)
    op.output("out", stepped, _Counted(tally, positions))
    return flow


def plain(task: Task) -> Dataflow:
    tally, positions, flow = Tally(task), Positions(task), Dataflow("pings")
    states: dict[str, Any] = {}

    def take(messages: list[Any]) -> list[Any]:
        for name, (ping, now) in _pings(messages):
            states[name], _ = step(states.get(name), ping, now, WORLD)
            positions.rows[name] = ping
        return messages

    stepped = op.flat_map_batch("step", op.input("in", flow, _source(task)), take)
    op.output("out", stepped, _Counted(tally, positions))
    return flow


if __name__ == "__main__":
    os.environ.setdefault("RUST_LOG", "error")
    run_main({"keyed": keyed, "dict": plain}[sys.argv[2]](read_task()))
