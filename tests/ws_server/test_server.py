"""Who gets in, what is served beside the websocket, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import InvalidStatus

from commands.process import LOOPBACK, free_port
from commands.processes import PushProcess
from orders.model import Stage
from stream.config import ConfigError
from stream.metrics import CATALOGUE, Cells
from tests.ws_server.builders import alert, at, status
from tests.ws_server.serving import (
    CUSTOMER,
    DISPATCHER,
    SETTINGS,
    WAIT_S,
    Peer,
    Push,
    serving,
    token,
)
from tests.ws_server.writer import Writer
from ws_server.auth import Tokens
from ws_server.hub import Grant
from ws_server.outbox import FULL_BYTES
from ws_server.pages import Pages
from ws_server.protocol import Role
from ws_server.server import PushServer, _listen


@pytest.fixture
async def push(written: Writer) -> AsyncIterator[Push]:
    async with serving(written.url, origins="https://dispatch.example, https://b.example/") as push:
        yield push


# Who gets in.


async def greeted(peer: Peer, **hello: Any) -> dict[str, Any]:
    await peer.say(**({"op": "hello", "v": 1} | hello))
    return await peer.hear()


async def test_a_token_is_taken_from_the_header(push: Push) -> None:
    async with push.open(CUSTOMER) as peer:
        said = await greeted(peer)
    assert (said["op"], said["v"], said["role"], said["orders"], said["live"]) == (
        "hello", 1, "customer", ["o1"], True,
    )  # fmt: skip
    assert said["ping_s"] == 25
    assert said["expires_at"] > said["now"]


async def test_a_token_is_taken_from_a_subprotocol_as_a_browser_sends_it(push: Push) -> None:
    async with push.open(subprotocol=DISPATCHER) as peer:
        assert peer.connection.subprotocol == "gps.v1"
        assert (await greeted(peer))["role"] == "dispatcher"


async def test_a_token_is_taken_from_the_hello(push: Push) -> None:
    async with push.open() as peer:
        assert (await greeted(peer, token=CUSTOMER))["role"] == "customer"


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param("", id="none"),
        pytest.param("garbage", id="garbage"),
        pytest.param(CUSTOMER[:-3] + "abc", id="another signature"),
        pytest.param(
            Tokens("t" * 32).mint(Grant("d", Role.DISPATCHER, 4_000_000_000_000)), id="forged"
        ),
        pytest.param(token(Role.DISPATCHER, lives_s=-5), id="expired"),
    ],
)
async def test_without_a_good_token_the_connection_ends_with_4001(push: Push, bearer: str) -> None:
    async with push.open(bearer) as peer:
        await peer.say(op="hello", v=1)
        code, reason = await peer.end()
    assert (code, "token" in reason) == (4001, True)


@pytest.mark.parametrize("said", ['{"op":"sub","topic":"orders"}', "garbage", "[]", '{"op":"x"}'])
async def test_what_is_not_hello_first_ends_with_4000(push: Push, said: str) -> None:
    async with push.open(DISPATCHER) as peer:
        await peer.connection.send(said)
        assert await peer.end() == (4000, 'say {"op":"hello","v":1} first')


async def test_another_version_ends_with_4004(push: Push) -> None:
    async with push.open(DISPATCHER) as peer:
        await peer.say(op="hello", v=2)
        assert await peer.end() == (4004, "this server speaks version 1")


@pytest.mark.parametrize(
    "origin", ["https://dispatch.example", "https://b.example", "http://HOST", None]
)
async def test_our_own_pages_and_the_named_ones_may_connect(push: Push, origin: str | None) -> None:
    asked = origin and origin.replace("HOST", push.address)
    async with push.open(DISPATCHER, origin=asked) as peer:
        assert (await greeted(peer))["op"] == "hello"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://dispatch.example.evil.example", "null"]
)
async def test_pages_of_others_may_not(push: Push, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with push.open(DISPATCHER, origin=origin):
            pass
    said = refused.value.response
    assert (said.status_code, b"MILEPOST_ORIGINS" in said.body) == (403, True)


async def test_a_customer_who_asks_for_anothers_order_gets_an_error_and_never_any_data(
    push: Push, written: Writer
) -> None:
    written.orders(status("o1", 1), status("o2", 1, vehicle="v2"))
    async with push.client(CUSTOMER) as theirs, push.client(token(Role.CUSTOMER, "o2")) as other:
        await other.subscribe("order:o2")
        for number, topic in enumerate(("order:o2", "orders", "alerts", "fleet")):
            await theirs.say(op="sub", topic=topic, id=number)
            said = await theirs.hear()
            assert (said["op"], said["code"], said["topic"]) == ("err", "forbidden", topic)
            assert said.get("id") == number
        await theirs.subscribe("order:o1")
        written.alerts(alert("a1", 1))
        written.moved({"v2": at(1)})
        written.orders(status("o2", 2, Stage.SIGNED, "v2"))
        await other.hear_until("delta")
        written.orders(status("o1", 2, Stage.SIGNED))
        heard = await theirs.hear_until("delta")
    assert {message.get("topic") for message in heard} == {"order:o1"}
    assert "o2" not in str(heard)


async def test_an_order_that_does_not_exist_is_refused_in_the_same_words(
    push: Push, written: Writer
) -> None:
    written.orders(status("o2", 1))
    async with push.client(CUSTOMER) as peer:
        words = set()
        for topic in ("order:o2", "order:nobodys"):
            await peer.say(op="sub", topic=topic)
            words.add((await peer.hear())["msg"])
    assert len(words) == 1


async def test_hello_twice_and_what_cannot_be_read_are_errors_and_no_end(push: Push) -> None:
    async with push.client() as peer:
        for said in ('{"op":"hello","v":1}', "garbage", '{"op":"sub"}', "x" * 5_000):
            await peer.connection.send(said)
            heard = await peer.hear()
            assert (heard["op"], heard["code"]) == ("err", "bad_message")
        assert (await peer.subscribe("orders"))[-1]["op"] == "synced"


# What is served beside it.


async def test_pages_and_websocket_share_a_port(written: Writer, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>map</title>")
    async with serving(written.url, pages=Pages(tmp_path)) as push:
        page, raw = await push.get("/"), await push.get("/../../etc/passwd")
        assert (page.status, page.body) == (200, b"<title>map</title>")
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert raw.status == 404
        assert (await push.get("/ws")).status == 426


async def test_it_is_healthy_and_ready(push: Push) -> None:
    for path in ("/healthz", "/readyz"):
        said = await push.get(path)
        assert (said.status, said.body) == (200, b"ok\n")


async def test_without_redis_it_is_healthy_but_not_ready() -> None:
    settings = replace(SETTINGS, redis=f"redis://{LOOPBACK}:{free_port()}/0")
    server = PushServer(settings, Cells(), Pages())
    async with server.listening() as address, asyncio.TaskGroup() as tasks:
        work = tasks.create_task(server.run())
        said = await Push(address).get("/readyz")
        assert (said.status, said.body) == (503, b"Redis is away or being filled\n")
        assert (await Push(address).get("/healthz")).status == 200
        async with Push(address).open(DISPATCHER) as peer:
            assert (await greeted(peer))["live"] is False
        work.cancel()


async def test_everything_exported_is_in_the_catalogue_with_its_help(push: Push) -> None:
    scraped = (await push.get("/metrics")).body.decode()
    families = {
        f.name.removeprefix("milepost_"): (f.type, f.documentation)
        for f in text_string_to_metric_families(scraped)
        if not f.name.startswith("process_")
    }
    assert families == {name: (entry.kind, entry.help) for name, entry in CATALOGUE.items()}


OURS = [name for name in CATALOGUE if name.startswith(("websocket_", "feed_"))]


@pytest.mark.parametrize("name", [*OURS, "redis_up"])
async def test_a_metric_has_samples_before_anybody_has_come(push: Push, name: str) -> None:
    suffix = {"counter": "_total", "histogram": "_count", "gauge": ""}[CATALOGUE[name].kind]
    assert (await push.scrape()).samples(name + suffix)


async def test_use_makes_no_new_series(push: Push, written: Writer) -> None:
    before = await push.scrape()
    await use(push, written)
    after = await push.scrape()
    for name in OURS:
        for suffix in ("", "_total", "_count", "_bucket"):
            assert after.samples(name + suffix).keys() == before.samples(name + suffix).keys()
    counted = ("hello", "snap", "synced", "delta", "pos", "alert", "err")
    assert all(after.total("websocket_frames_total", op=op) for op in counted)
    for name in ("feed_entries_total", "websocket_bytes_total", "websocket_push_age_seconds_count"):
        assert after.total(name)
    assert after.by("code", "websocket_refused_total") == {"forbidden": 1}
    assert "o1" not in after.exposition


async def use(push: Push, written: Writer) -> None:
    """Something of everything."""
    written.orders(status("o1", 1))
    async with push.client() as ours, push.client(CUSTOMER) as theirs:
        for topic in ("orders", "alerts", "fleet"):
            await ours.subscribe(topic)
        await theirs.subscribe("order:o1")
        await theirs.say(op="sub", topic="orders")
        await theirs.hear_until("err")
        written.alerts(alert("a1", 1))
        await ours.hear_until("alert")
        written.moved({"v1": at(1)})
        await theirs.hear_until("pos")
        written.orders(status("o1", 2, Stage.SIGNED))
        await theirs.hear_until("delta")
        scraped = await push.scrape()
        assert scraped.by("client", "websocket_clients") == {"customer": 1, "dispatcher": 1}
        assert scraped.total("websocket_topics") == 4


# How it ends.


async def test_at_the_end_clients_are_told_to_come_back_elsewhere(written: Writer) -> None:
    async with AsyncExitStack() as clients:
        async with serving(written.url) as push:
            peer = await clients.enter_async_context(push.client())
            ending = asyncio.create_task(peer.end())
        assert await ending == (4200, "the server goes away")


class Process(PushProcess):
    """One whose end is looked at."""

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def ended(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.wait(WAIT_S)


def test_sigterm_ends_the_process_in_order_also_with_a_client_before_its_hello(
    written: Writer,
) -> None:
    with Process(replace(SETTINGS, redis=written.url)) as process:
        asyncio.run(_told_to_go(process))
        assert process.ended() == 0
        assert "Traceback" not in process.log.read_text()


def test_sigterm_ends_the_process_also_with_clients_that_do_not_read(written: Writer) -> None:
    written.moved({f"vehicle-{n}": at(n) for n in range(10_000)})
    with Process(replace(SETTINGS, redis=written.url)) as process:
        assert asyncio.run(_told_to_go_asleep(process)) == 0


async def _told_to_go_asleep(process: Process) -> int:
    """The exit code of one whose clients are asleep."""
    push = Push(f"{process.host}:{process.port}")
    async with AsyncExitStack() as clients:
        for _ in range(3):
            peer = await clients.enter_async_context(push.client(narrow=True))
            await peer.say(op="sub", topic="fleet")
        await push.until(lambda m: m.total("websocket_buffered_bytes") > 3 * FULL_BYTES)
        process.terminate()
        return await asyncio.to_thread(process.ended)


async def _told_to_go(process: Process) -> None:
    push = Push(f"{process.host}:{process.port}")
    async with push.client() as peer, push.open(DISPATCHER) as late:
        process.terminate()
        assert await peer.end() == (4200, "the server goes away")
        await late.say(op="hello", v=1)
        assert await late.end() == (4200, "the server goes away")


def test_a_frame_does_not_wait_until_the_one_before_is_acknowledged() -> None:
    with _listen("127.0.0.1:0") as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_short_secret_does_not_start() -> None:
    with pytest.raises(ConfigError, match="MILEPOST_TOKEN_SECRET"):
        PushServer(replace(SETTINGS, token_secret="short"), Cells(), Pages())


async def test_a_port_that_is_taken_is_said(push: Push) -> None:
    server = PushServer(replace(SETTINGS, push=push.address), Cells(), Pages())
    with pytest.raises(ConfigError, match="set MILEPOST_PUSH to a free host:port"):
        async with server.listening():
            pass
