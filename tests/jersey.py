"""The real day: 139 refuse trucks of Jersey City, pings in the order of their reception."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from geo.model import Ping

FILE = Path(__file__).parents[2] / "shared" / "data" / "jersey_trucks" / "pings.jsonl.gz"


class Row(msgspec.Struct):
    """One line of the file; times in seconds."""

    vehicle_id: str
    ts: float
    recv_ts: float
    lat: float
    lon: float


def require_data() -> None:
    """Skip the test where the data is absent; under CI its absence is a failure."""
    if not FILE.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"{FILE} is absent: the real fleet's day lies outside the repository")


def pings() -> Iterator[Ping]:
    decoder = msgspec.json.Decoder(Row)
    with gzip.open(FILE, "rb") as lines:
        for line in lines:
            row = decoder.decode(line)
            yield Ping(
                vehicle_id=row.vehicle_id,
                ts=round(row.ts * 1000),
                lat=row.lat,
                lon=row.lon,
                received_at=round(row.recv_ts * 1000),
            )
