from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from commands.lines import Format
from commands.recordings import recorded
from commands.replay import ReplayError, Seen
from geo.model import Ping
from geo.sources import declared
from tests.builders import T0

GPX = b"""<?xml version="1.0"?>
<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><trk><name>day</name><trkseg>
<trkpt lat="31.2" lon="121.4"><ele>4</ele><time>2026-01-01T00:00:00Z</time></trkpt>
<trkpt lat="31.3" lon="121.5"><time>2026-01-01T00:00:10Z</time>
  <extensions><x:TrackPointExtension xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
  <x:speed>7.5</x:speed><x:course>90</x:course></x:TrackPointExtension></extensions></trkpt>
</trkseg></trk></gpx>
"""
CSV = b"plate;time;latitude;longitude;speed\nA1;1767225600;31.2;121.4;36\n;1767225610;31.3;121.5;\n"
JSON = b'{"ts":1767225600,"lat":31.2,"lon":121.4}\n{"ts":1767225610,"lat":31.3,"lon":121.5}\n'


def read(path: Path, text: bytes, *source: str) -> list[Ping]:
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return list(recorded(path, Format(source=declared(source)), Seen()))


@pytest.mark.parametrize("name", ["truck-7.gpx", "truck-7.gpx.gz"])
def test_a_gpx_file_is_of_one_vehicle_called_like_it(tmp_path: Path, name: str) -> None:
    assert read(tmp_path / name, GPX) == [
        Ping("truck-7", T0, 31.2, 121.4),
        Ping("truck-7", T0 + 10_000, 31.3, 121.5, speed_mps=7.5, heading_deg=90.0),
    ]


@pytest.mark.parametrize("name", ["day.csv", "day.txt", "day.csv.gz"])
def test_a_csv_file_names_its_columns(tmp_path: Path, name: str) -> None:
    assert read(tmp_path / name, CSV, "speed=kmh") == [
        Ping("A1", T0, 31.2, 121.4, speed_mps=10.0),
        Ping("day", T0 + 10_000, 31.3, 121.5),
    ]


@pytest.mark.parametrize("name", ["v9.jsonl", "v9.ndjson", "v9.json.gz"])
def test_json_lines_without_a_vehicle_are_of_one(tmp_path: Path, name: str) -> None:
    pings = [Ping("v9", T0, 31.2, 121.4), Ping("v9", T0 + 10_000, 31.3, 121.5)]
    assert read(tmp_path / name, JSON) == pings


def test_a_point_without_a_time_is_counted_and_the_others_read(tmp_path: Path) -> None:
    file, seen = tmp_path / "a.gpx", Seen()
    file.write_bytes(GPX.replace(b"<time>2026-01-01T00:00:00Z</time>", b""))
    assert len(list(recorded(file, Format(), seen))) == 1
    assert (seen.lines, seen.bad, seen.shown[0][1].field) == (2, 1, "ts")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("a.gpx", GPX[:300], "not whole GPX", id="cut off"),
        pytest.param("a.gpx.gz", None, "not whole GPX", id="packed and cut off"),
        pytest.param("a.xlsx", b"", "no format that is known", id="another format"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, text: bytes | None, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(GPX)[:-20] if text is None else text)
    with pytest.raises(ReplayError, match=said):
        list(recorded(file, Format(), Seen()))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="no file"):
        list(recorded(tmp_path / "a.csv", Format(), Seen()))
