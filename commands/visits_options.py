"""`milepost visits` as typer reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from commands.columns import OTHER_NAMES, our_name
from commands.fleet import mapping
from commands.lines import Format
from commands.sources import read_sources
from commands.times import zone_of
from commands.visits import Wanted, run_visits
from geo.crs import Datum
from geo.sources import declared
from stream.config import ConfigError

console = Console()


def visits(
    pings: Annotated[
        list[Path], typer.Argument(help="JSON lines, .csv or .gpx, also with .gz", metavar="PINGS…")
    ],
    fences: Annotated[
        Path | None, typer.Option(help="GeoJSON: points, lines, polygons", metavar="FILE.geojson")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="datum=gcj02, zone=Asia/Shanghai, speed=kmh, or a threshold",
            metavar="KEY=VALUE",
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(help="a table for each name in the column source", metavar="FILE.toml"),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="vehicle_id=imei: our name, the file's", metavar="OURS=THEIRS"),
    ] = None,
    header: Annotated[
        str | None,
        typer.Option(help="of CSV files that have none: all columns in order", metavar="A,B,C"),
    ] = None,
    fences_datum: Annotated[Datum, typer.Option(help="of the fences' coordinates")] = Datum.WGS84,
    out: Annotated[
        Path | None, typer.Option(help="write everything here as JSON lines", metavar="FILE")
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", help="draw everything on one page", metavar="FILE.html"),
    ] = None,
) -> None:
    """Find who called where and when in recorded pings: the core of the worker, without a broker.

    Columns: vehicle_id, ts, lat, lon, speed, heading, accuracy, received_at, source, seq, valid;
    usual other names are known, location.lat is a field of an object. Times are Unix seconds or
    milliseconds, or dates with an offset or in the --source's zone; the date may be in a column of
    its own (date). GPX, and files without a vehicle's name, are of one vehicle called like the
    file.

    Fences: a Point is a circle (radius_m, 150 unless given), a LineString a corridor (half_width_m,
    50), a Polygon an area; exit_m is where it is left, 100 m further out. Without --fences stops
    and trips are shown.

    --out writes one object a line: kind visit, stop, trip, gap (times in UTC) or rejected (reason,
    count). Exit code 1 if some lines could not be read.
    """
    declaration = declared(source or [])
    if declaration.zone:
        zone_of(declaration.zone)  # a wrong one is told now, not at the first line
    columns = mapping(column or [], "--column")
    for ours in columns:
        if our_name(ours) is None:
            names = ", ".join(OTHER_NAMES)
            raise ConfigError(f"--column {ours}={columns[ours]}: {ours} is not known; of {names}")
    named_by = tuple(each.strip() for each in header.split(",")) if header else None
    form = Format(columns=columns, source=declaration, header=named_by, option="--column")
    named = read_sources(sources) if sources is not None else {}
    wanted = Wanted(pings, form, fences, fences_datum, out, map_, named)
    raise typer.Exit(run_visits(wanted, console))
