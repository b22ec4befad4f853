"""The commands around a fleet as typer reads them: replay, simulate, watch and demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from commands.demo import Demo, run_demo
from commands.lines import Format
from commands.options import with_settings
from commands.replay import Replay, run_replay
from commands.simulate import Simulation, run_simulation
from commands.watch import run_watch
from geo.sources import Source, SpeedUnit
from load_tests.faults import Faults
from load_tests.simulator import Options
from stream.clock import wall_ms
from stream.config import ConfigError, Settings
from stream.topics import ORDER_EVENTS, PINGS

console = Console()


class Recorded(StrEnum):
    """What a file may hold."""

    PINGS = PINGS
    ORDER_EVENTS = ORDER_EVENTS


def _fault(what: str) -> Any:
    return typer.Option(min=0, max=1, help=what, metavar="SHARE", rich_help_panel="Faults")


Vehicles = Annotated[int, typer.Option(min=1, help="how many drive")]
Orders = Annotated[int, typer.Option(min=0, help="on the tours under way at the start")]
Seed = Annotated[int, typer.Option(help="the same seed gives the same fleet")]
Speed = Annotated[
    float | None,
    typer.Option(min=0.001, help="1 as in life, 60 a minute a second", metavar="FACTOR"),
]


@with_settings("brokers", "topic_prefix")
def replay(
    settings: Settings,
    file: Annotated[Path, typer.Argument(help="JSON lines or .csv, also with .gz")],
    topic: Annotated[Recorded, typer.Option(help="what the lines are")] = Recorded.PINGS,
    speed: Speed = None,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="move all times so that the last is now when sent")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="vehicle_id=imei: our name, the file's", metavar="OURS=THEIRS"),
    ] = None,
    speed_unit: Annotated[
        SpeedUnit, typer.Option(help="of the file's speed column")
    ] = SpeedUnit.MPS,
) -> None:
    """Send a recorded file to Kafka, as fast as possible or at a --speed.

    Columns: vehicle_id, ts, lat, lon, speed, heading, accuracy, received_at (or recv_ts); for
    orders.events those of schemas/orders.events.json. Times are Unix seconds, Unix milliseconds or
    ISO 8601 with an offset. Lines in wire form pass as they are. Exit code 1 if one did not go in.
    """
    source = Source(speed=speed_unit)
    form = Format(topic=topic.value, columns=mapping(columns or [], "--map"), source=source)
    raise typer.Exit(run_replay(settings, Replay(file, form, speed, rebase), console))


def mapping(pairs: list[str], option: str) -> dict[str, str]:
    """Our names of columns and the file's, as an option gives them."""
    columns = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise ConfigError(f"{option} {pair} is no pair; write OURS=THEIRS, as vehicle_id=imei")
        columns[ours] = theirs
    return columns


_USUAL = Faults()


@with_settings("brokers", "topic_prefix", "clock")
def simulate(
    settings: Settings,
    vehicles: Vehicles = 500,
    orders: Orders = 2_000,
    seed: Seed = 1,
    duration_s: Annotated[
        float | None, typer.Option(help="simulated seconds; without it until Ctrl-C")
    ] = None,
    speed: Speed = 1.0,
    fast: Annotated[bool, typer.Option("--fast", help="as fast as the broker takes it")] = False,
    ping_s: Annotated[float, typer.Option(min=0.1, help="seconds between two pings")] = 10.0,
    noise_m: Annotated[float, typer.Option(min=0, help="error of a fix, metres")] = 4.0,
    late: Annotated[float, _fault("pings that arrive minutes late")] = _USUAL.late_rate,
    duplicate: Annotated[float, _fault("pings sent twice")] = _USUAL.duplicate_rate,
    reorder: Annotated[float, _fault("pings that arrive after the next")] = _USUAL.reorder_rate,
    blind: Annotated[float, _fault("pings that begin a blind area")] = _USUAL.blind_rate,
    silent: Annotated[float, _fault("vehicles silent at any time")] = _USUAL.silent_share,
    silent_s: Annotated[
        float, typer.Option(min=1, help="how long a silence lasts", rich_help_panel="Faults")
    ] = _USUAL.silent_s,
    teleport: Annotated[float, _fault("fixes kilometres away")] = _USUAL.teleport_rate,
    zero: Annotated[float, _fault("fixes at 0, 0")] = _USUAL.zero_rate,
    future: Annotated[float, _fault("pings with a clock ahead")] = _USUAL.future_rate,
    garbage: Annotated[float, _fault("undecodable records, added")] = _USUAL.garbage_rate,
    error: Annotated[float, _fault("attempts at a stage that fail")] = _USUAL.error_rate,
    wave: Annotated[float, _fault("reviews that fail in a wave of errors")] = _USUAL.wave_rate,
    late_order: Annotated[float, _fault("orders about 48 h old")] = _USUAL.late_order_share,
    cancel: Annotated[float, _fault("orders cancelled")] = _USUAL.cancel_rate,
    returned: Annotated[float, _fault("orders refused at the door")] = _USUAL.return_rate,
) -> None:
    """Send a seeded fleet around the Yangtze delta to Kafka: pings, order events and faults."""
    faults = Faults(
        late_rate=late,
        duplicate_rate=duplicate,
        reorder_rate=reorder,
        blind_rate=blind,
        silent_share=silent,
        silent_s=silent_s,
        teleport_rate=teleport,
        zero_rate=zero,
        future_rate=future,
        garbage_rate=garbage,
        error_rate=error,
        wave_rate=wave,
        late_order_share=late_order,
        cancel_rate=cancel,
        return_rate=returned,
    )
    options = Options(
        start=wall_ms(),
        vehicles=vehicles,
        orders=orders,
        seed=seed,
        duration_s=duration_s,
        ping_s=ping_s,
        noise_m=noise_m,
        faults=faults,
    )
    simulation = Simulation(options, None if fast else speed)
    raise typer.Exit(run_simulation(settings, simulation, console))


@with_settings("redis", "partitions")
def watch(
    settings: Settings, name: Annotated[str, typer.Argument(metavar="ORDER|VEHICLE")]
) -> None:
    """Show one order or vehicle as it changes, until Ctrl-C."""
    raise typer.Exit(run_watch(settings, name, console))


def demo(
    kafka: Annotated[
        bool, typer.Option("--kafka", help="a real Apache Kafka (needs Java and Maven)")
    ] = False,
    view: Annotated[bool, typer.Option(help="the live screen, or plain lines")] = True,
    for_s: Annotated[
        float | None, typer.Option("--for", help="end after so long", metavar="SECONDS")
    ] = None,
    port: Annotated[int, typer.Option(help="of the pages; 0 takes a free one")] = 8700,
    vehicles: Vehicles = 500,
    orders: Orders = 2_000,
    seed: Seed = 1,
) -> None:
    """Run all of Milepost on this machine with a simulated fleet, and print the pages' addresses.

    The embedded broker keeps nothing. Ctrl-C stops everything and leaves nothing behind.
    """
    asked = Demo(kafka, view, for_s, port, vehicles, orders, seed)
    raise typer.Exit(run_demo(asked, console))
