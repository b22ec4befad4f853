"""A client of push as its protocol asks it to be, in a thread: cut off, it comes back.

It notes what no client may ever be shown; a test looks at `wrong` in the end.
"""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from orders.lifecycle import ENDS
from ws_server.protocol import BEARER, SUBPROTOCOL

Data = dict[str, Any]
AWAY = (OSError, WebSocketException, InvalidHandshake)
"""`recv` without an answer raises TimeoutError, an OSError."""
GRACE_S = 10.0
RETRY_S = (0.05, 0.3)


class Item(NamedTuple):
    rev: int
    data: Data


class Follower:
    """Follows topics from construction until `close`."""

    def __init__(self, address: str, token: str, topics: Sequence[str]) -> None:
        self.items: dict[str, dict[str, Item]] = {topic: {} for topic in topics}
        """What it would show: by topic and id."""
        self.heard: dict[str, list[Item]] = defaultdict(list)
        """Everything newer than before that it was told of an item, by id, in order."""
        self.places: dict[str, list[Any]] = {}
        self.synced: set[str] = set()
        """Topics whose snapshot has come on this connection."""
        self.connections = 0
        self.wrong: list[str] = []
        self._address = address
        self._token = token
        self._revs: dict[tuple[str, str], int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def shows(self, topic: str) -> dict[str, Item]:
        """What the topic's list has now."""
        return dict(self.items[topic])

    def _follow(self) -> None:
        while not self._stop.is_set():
            with suppress(*AWAY), self._connected() as connection:
                self.connections += 1
                self._listen(connection)
            self.synced = set()
            self._stop.wait(random.uniform(*RETRY_S))

    def _connected(self) -> ClientConnection:
        offers = [Subprotocol(SUBPROTOCOL), Subprotocol(BEARER + self._token)]
        return connect(
            f"ws://{self._address}/ws",
            subprotocols=offers,
            compression=None,
            ping_interval=None,
            proxy=None,
            close_timeout=1,
        )

    def _listen(self, connection: ClientConnection) -> None:
        connection.send('{"op":"hello","v":1}')
        silent_s = json.loads(connection.recv(GRACE_S))["ping_s"] + GRACE_S
        for topic in self.items:
            self._ask(connection, "sub", topic)
        waited_s = 0.0
        while not self._stop.is_set() and waited_s < silent_s:
            try:
                message = connection.recv(timeout=0.1)
            except TimeoutError:
                waited_s += 0.1
                continue
            waited_s = 0.0
            self._hear(connection, json.loads(message))

    def _ask(self, connection: ClientConnection, op: str, topic: str) -> None:
        connection.send(json.dumps({"op": op, "topic": topic}))

    def _hear(self, connection: ClientConnection, said: Data) -> None:
        match said["op"]:
            case "ping":
                connection.send('{"op":"pong"}')
            case "snap":
                self._snap(said)
            case "synced":
                self.synced.add(said["topic"])
            case "delta":
                self._delta(connection, said)
            case "alert":
                self._take(said["topic"], said["id"], Item(said["rev"], said["data"]))
            case "pos":
                self._move(said["v"])
            case _:
                self.wrong.append(f"it was told {said}")

    def _snap(self, said: Data) -> None:
        topic = said["topic"]
        if said["part"] == 0:
            self.items[topic] = {}
        for item in said["items"]:
            name, new = item["id"], Item(item["rev"], item["data"])
            if new.rev < self._revs.get((topic, name), 0):
                self.wrong.append(f"{topic}: {name} went back to {new}")
            elif new.rev == self._revs.get((topic, name)):
                self.items[topic][name] = new
            else:
                self._take(topic, name, new)

    def _delta(self, connection: ClientConnection, said: Data) -> None:
        topic, name, changed = said["topic"], said["id"], said["set"]
        held = self.items[topic].get(name)
        if "prev" not in said:
            self._take(topic, name, Item(said["rev"], changed))
        elif held is not None and said["prev"] == held.rev:
            self._take(topic, name, Item(said["rev"], held.data | changed))
        elif held is None or said["rev"] > held.rev:
            self._ask(connection, "unsub", topic)
            self._ask(connection, "sub", topic)

    def _take(self, topic: str, name: str, new: Item) -> None:
        """It is shown if it is newer than all before; what is over leaves the lists."""
        if new.rev <= self._revs.get((topic, name), -1):
            return
        self._revs[topic, name] = new.rev
        self.heard[name].append(new)
        over = (topic == "orders" and new.data["stage"] in ENDS) or (
            topic == "alerts" and new.data["state"] in ("resolved", "inactive")
        )
        if over:
            self.items[topic].pop(name, None)
        else:
            self.items[topic][name] = new

    def _move(self, rows: list[list[Any]]) -> None:
        for row in rows:
            if row[1] >= self.places.get(row[0], [row[0], 0])[1]:
                self.places[row[0]] = row
