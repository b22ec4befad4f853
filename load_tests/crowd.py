"""A crowd of customers, each on a websocket of its own for its own order, read by one loop.

How this works. A client library would cost more than the servers it is to measure, so this reads
the sockets as they are: one epoll, and of each frame only the header and the `rev`. Who sleeps in
`epoll_wait` has to be woken by every frame, and the *server* pays for that, up to the price of
another frame; so the crowd naps for a fixed time and then takes whatever has come. That adds up to
`NAP_S` to every latency, the same for all servers.
"""

from __future__ import annotations

import base64
import os
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Sequence

from load_tests.frames import masked, number, split
from load_tests.statuses import Statuses, order_of

NAP_S = 0.0005
READ_BYTES = 65_536
IN_FLIGHT = 64
"""Customers who knock at the same time."""
CONNECT_S = 120.0
SILENT_S = 30.0


class Gone(Exception):
    """A server closed a connection or does not answer."""


class _Customer:
    __slots__ = ("greeted", "order", "rest", "rev", "sock", "synced")

    def __init__(self, sock: socket.socket, order: int) -> None:
        self.sock = sock
        self.order = order
        self.rest = b""
        """The beginning of a frame whose end has not come yet."""
        self.greeted = self.synced = False
        self.rev = -1


class Crowd:
    """`tokens[n]` is for the order of number n. Read the counts when the load is over."""

    def __init__(self, port: int, tokens: Sequence[str], statuses: Statuses) -> None:
        self.frames = self.bytes = 0
        """Of changes, since the last `forget`."""
        self.doubled = 0
        """Changes whose `rev` was there before."""
        self.stepped_back = 0
        self.unfit = 0
        """Changes that do not apply to what the customer holds: one before is missing."""
        self.anew = 0
        """Snapshots that were not asked for: the server has missed something."""
        self.latencies = array("d")
        """Seconds from the writing to Redis to the customer's socket, of every frame."""
        self._statuses = statuses
        self._address = ("127.0.0.1", port)
        self._tokens = tokens
        self._epoll = select.epoll()
        self._customers: dict[int, _Customer] = {}
        self._waiting = 0

    def __len__(self) -> int:
        return len(self._customers)

    def close(self) -> None:
        for customer in self._customers.values():
            customer.sock.close()
        self._epoll.close()

    def connect(self) -> float:
        """Let everyone in, until each has its snapshot; gives the seconds that took."""
        began, left = time.perf_counter(), deque(enumerate(self._tokens))
        while left or self._waiting:
            while left and self._waiting < IN_FLIGHT:
                self._knock(*left.popleft())
            self.read()
            if time.perf_counter() - began > CONNECT_S:
                raise Gone(f"{len(left) + self._waiting} customers were not let in")
            time.sleep(NAP_S)
        return time.perf_counter() - began

    def forget(self) -> None:
        """Count from here."""
        self.frames = self.bytes = self.doubled = self.stepped_back = self.unfit = self.anew = 0
        self.latencies = array("d")

    def lost(self) -> int:
        """Customers who do not hold the last answer about their order."""
        return sum(c.rev != self._statuses.newest(c.order) for c in self._customers.values())

    def read(self) -> None:
        """Take what has come. Raises Gone."""
        for fd, _ in self._epoll.poll(0, len(self._customers) or 1):
            customer = self._customers[fd]
            data = customer.sock.recv(READ_BYTES)
            if not data:
                raise Gone(f"the server closed a connection; it had said {customer.rest[-100:]!r}")
            if not customer.synced:
                self._welcomed(customer, data)
            else:
                frames, customer.rest = split(customer.rest + data)
                for frame in frames:
                    self._change(customer, frame)

    def _knock(self, order: int, token: str) -> None:
        sock = socket.create_connection(self._address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        key = base64.b64encode(os.urandom(16)).decode()
        sock.send(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: gps.v1, gps.bearer.{token}\r\n\r\n".encode()
        )
        self._customers[sock.fileno()] = _Customer(sock, order)
        self._epoll.register(sock, select.EPOLLIN)
        self._waiting += 1

    def _welcomed(self, customer: _Customer, data: bytes) -> None:
        if not customer.greeted:
            head, end, data = (customer.rest + data).partition(b"\r\n\r\n")
            if not end:
                customer.rest = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise Gone(f"no websocket: {head[:200]!r}")
            customer.greeted, customer.rest = True, b""
            topic = f"order:{order_of(customer.order)}"
            customer.sock.send(
                masked(b'{"op":"hello","v":1}')
                + masked(b'{"op":"sub","topic":"%b","id":1}' % topic.encode())
            )
        frames, customer.rest = split(customer.rest + data)
        for frame in frames:
            if b'"op":"snap"' in frame[:30]:
                customer.rev = number(frame, b'"rev":')
            elif b'"op":"synced"' in frame:
                customer.synced = True
                self._waiting -= 1

    def _change(self, customer: _Customer, frame: bytes) -> None:
        if b'"op":"delta"' not in frame[:20]:
            self._other(customer, frame)
            return
        now = time.perf_counter()
        rev, before = number(frame, b'"rev":'), customer.rev
        if rev <= before:
            self.doubled += rev == before
            self.stepped_back += rev < before
            return
        if number(frame, b'"prev":') not in (-1, before):
            self.unfit += 1
        customer.rev = rev
        self.frames += 1
        self.bytes += len(frame)
        self.latencies.append(now - self._statuses.written[rev - self._statuses.first_rev])

    def _other(self, customer: _Customer, frame: bytes) -> None:
        if b'"op":"ping"' in frame:
            customer.sock.send(masked(b'{"op":"pong"}'))
        elif b'"op":"snap"' in frame[:30]:
            self.anew += 1
            customer.rev = max(customer.rev, number(frame, b'"rev":'))
        elif b'"op":"synced"' not in frame:
            raise Gone(f"the server said {frame[:200]!r}")
