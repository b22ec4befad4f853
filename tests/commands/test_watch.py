from __future__ import annotations

import redis
from msgspec.structs import replace

from commands.process import free_port
from commands.redis import RedisServer
from commands.watch import Away, Watch, Watched, render
from geo.model import Motion
from orders.model import LastSeen
from stream import keys, wire
from stream.config import Settings
from stream.keys import Position, pack_position
from stream.topics import partition_of
from tests.builders import at
from tests.commands.test_board import shown, status

HERE = Position(at(50), 31.2, 121.4, 10.0, 90.0, Motion.MOVING)


def test_an_order_is_shown_with_its_stage_timeline_and_last_position() -> None:
    text = shown(render(Watched("o1", status(milestones=2), HERE), None, at(60)))
    for said in (
        "运输中 In transit",
        "审核通过",
        "Order reviewed",
        "10 s ago, moving at 36 km/h, heading 90°",
        "实时 Up to date",
    ):
        assert said in text


def test_the_age_ticks_with_the_clock() -> None:
    known = Watched("o1", status(), HERE)
    assert "11 s ago" in shown(render(known, None, at(61)))


def test_the_newer_of_position_and_status_is_shown() -> None:
    newer = replace(status(), seen=LastSeen(at(55), 30.0, 120.0))
    assert "30.00000 N" in shown(render(Watched("o1", newer, HERE), None, at(60)))


def test_a_vehicle_is_shown_with_where_it_is() -> None:
    text = shown(render(Watched("v1", position=HERE), None, at(60)))
    assert "vehicle v1" in text
    assert "31.20000 N, 121.40000 E" in text


def test_an_unknown_name_is_said_to_be_unknown_with_what_to_do() -> None:
    text = shown(render(Watched("nope"), None, at(0)))
    assert "Nothing is known of an order or a vehicle 'nope'" in text
    assert "milepost doctor" in text


def test_while_redis_is_away_what_was_known_stands_below_the_warning() -> None:
    away = Away(at(40), "refused", "redis://x")
    text = shown(render(Watched("o1", status()), away, at(60)))
    assert "has not answered for 20 s" in text
    assert "order o1" in text


def test_order_and_vehicle_are_found_in_redis(redis_server: RedisServer) -> None:
    settings = Settings(redis=redis_server.url, partitions=4)
    with redis.Redis.from_url(redis_server.url) as client:
        client.hset(
            keys.entity(keys.ORDERS, "w1"), mapping={"rev": 1, "s": wire.encode(status("w1"))}
        )
        client.hset(keys.positions(partition_of("v1", 4)), "v1", pack_position(HERE, HERE.motion))
    order, vehicle = Watch(settings, "w1"), Watch(settings, "v1")
    order.look(at(60))
    vehicle.look(at(60))
    assert order.known == Watched("w1", status("w1"), HERE)
    assert vehicle.known == Watched("v1", None, HERE)
    order.close()
    vehicle.close()


def test_redis_away_is_told_since_when_and_forgotten_when_it_returns() -> None:
    server = RedisServer(port=free_port())
    watch = Watch(Settings(redis=f"redis://127.0.0.1:{server.port}/0"), "w1")
    watch.look(at(0))
    watch.look(at(5))
    outage = watch.away
    with server:
        watch.look(at(10))
    watch.close()
    assert outage is not None
    assert (outage.since, watch.away) == (at(0), None)
