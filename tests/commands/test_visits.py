from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from commands.findings import near
from commands.lines import Format
from commands.visits import FencesError, Wanted, run_visits
from geo.crs import Datum, from_wgs84
from milepost import app
from stream.config import ConfigError
from tests import jersey
from tests.builders import LAT, LON, lat_of, ping, stop

YARD = {
    "type": "Feature",
    "properties": {"name": "yard"},
    "geometry": {"type": "Point", "coordinates": [LON, LAT]},
}
DAY = (
    (0, 3_000),
    (300, 900),
    (400, 20),
    (500, 22),
    (700, 20),
    (1_000, 21),
    (1_100, 900),
    (1_400, 3_000),
)
"""Second and metres north: comes, stands in the yard for ten minutes, goes."""


def row(seconds: float, north_m: float, **others: Any) -> dict[str, Any]:
    sent = ping(seconds, north_m)
    return {"vehicle_id": "v1", "ts": sent.ts, "lat": sent.lat, "lon": sent.lon, **others}


def written(path: Path, *rows: Any) -> Path:
    path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    return path


@pytest.fixture
def day(tmp_path: Path) -> Path:
    return written(tmp_path / "day.jsonl", *(row(*each) for each in DAY))


@pytest.fixture
def fences(tmp_path: Path) -> Path:
    return written(tmp_path / "fences.geojson", {"type": "FeatureCollection", "features": [YARD]})


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["visits", *map(str, arguments)], catch_exceptions=False)


def lines(file: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]


def test_a_visit_is_shown_and_written_with_its_evidence(
    day: Path, fences: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    result = run(day, "--fences", fences, "--out", out)
    assert (result.exit_code, "yard" in result.output) == (0, True)
    (visit,) = [line for line in lines(out) if line["kind"] == "visit"]
    assert (visit["vehicle"], visit["fence"], visit["inferred"]) == ("v1", "yard", False)
    assert "2026-01-01T00:05:00Z" < visit["arrived"] <= "2026-01-01T00:06:40Z"
    assert "2026-01-01T00:16:40Z" <= visit["departed"] < "2026-01-01T00:18:20Z"
    assert visit["evidence"].keys() >= {"rule", "positions", "nearest_m", "confidence", "first"}


def test_rejected_pings_are_counted_by_reason(tmp_path: Path, fences: Path) -> None:
    out = tmp_path / "out.jsonl"
    nowhere = {"vehicle_id": "v1", "ts": row(450, 0)["ts"], "lat": 0, "lon": 0}
    rows = [row(*each) for each in DAY]
    file = written(tmp_path / "day.jsonl", *rows, nowhere, nowhere | {"ts": nowhere["ts"] + 1}, 17)
    assert run(file, "--fences", fences, "--out", out).exit_code == 1
    rejected = {line["reason"]: line["count"] for line in lines(out) if line["kind"] == "rejected"}
    assert rejected == {"null_island": 2, "unreadable": 1}


def test_a_file_in_any_order_without_times_of_reception_is_read_by_its_own_times(
    tmp_path: Path, fences: Path
) -> None:
    outs = []
    for name, rows in (("a", DAY), ("b", DAY[::-1])):
        file = written(tmp_path / f"{name}.jsonl", *(row(*each) for each in rows))
        outs.append(tmp_path / f"{name}.out")
        run(file, "--fences", fences, "--out", outs[-1])
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_source_in_gcj02_calls_at_the_same_fences(tmp_path: Path, fences: Path) -> None:
    moved = []
    for seconds, north_m in DAY:
        lat, lon = from_wgs84(lat_of(north_m), LON, Datum.GCJ02)
        moved.append(row(seconds, north_m) | {"lat": lat, "lon": lon})
    file, out = written(tmp_path / "day.jsonl", *moved), tmp_path / "out"
    run(file, "--fences", fences, "--out", out)
    assert [line for line in lines(out) if line["kind"] == "visit"] == []
    run(file, "--fences", fences, "--out", out, "--source", "datum=gcj02")
    assert [line["fence"] for line in lines(out) if line["kind"] == "visit"] == ["yard"]


def test_each_source_of_a_file_calls_at_the_same_fences(tmp_path: Path, fences: Path) -> None:
    rows = []
    for seconds, north_m in DAY:
        for source, datum in (("a", Datum.GCJ02), ("b", Datum.BD09), ("c", Datum.WGS84)):
            lat, lon = from_wgs84(lat_of(north_m), LON, datum)
            place = {"lat": lat, "lon": lon, "vehicle_id": f"of-{source}", "carrier": source}
            rows.append(row(seconds, north_m) | place)
        rows[-1].pop("carrier")
    file, out = written(tmp_path / "day.jsonl", *rows), tmp_path / "out"
    sources = tmp_path / "sources.toml"
    sources.write_text('[a]\ndatum = "gcj02"\n[b]\ndatum = "bd09"\n')
    run(file, "--fences", fences, "--out", out, "--sources", sources)
    visits = [line for line in lines(out) if line["kind"] == "visit"]
    assert [visit["vehicle"] for visit in visits] == ["of-a", "of-b", "of-c"]
    assert len({visit["arrived"] for visit in visits}) == 1


def test_one_vehicles_pings_may_be_of_several_sources(tmp_path: Path, fences: Path) -> None:
    rows = []
    for n, (seconds, north_m) in enumerate(DAY):
        lat, lon = from_wgs84(lat_of(north_m), LON, Datum.GCJ02 if n % 2 else Datum.WGS84)
        rows.append(row(seconds, north_m) | {"lat": lat, "lon": lon, "source": "ab"[n % 2]})
    file, out = written(tmp_path / "day.jsonl", *rows), tmp_path / "out"
    sources = tmp_path / "sources.toml"
    sources.write_text('[b]\ndatum = "gcj02"\n')
    run(file, "--fences", fences, "--out", out, "--sources", sources)
    assert [line["fence"] for line in lines(out) if line["kind"] == "visit"] == ["yard"]


def test_gaps_are_counted_and_written(tmp_path: Path) -> None:
    numbered = [row(30 * n, 300 * n, seq=n, source="a") for n in range(30) if n not in (5, 6)]
    by_rate = [row(10 * n, 200 * n, vehicle_id="v2") for n in range(200) if not 60 <= n < 120]
    file, out = written(tmp_path / "day.jsonl", *numbered, *by_rate), tmp_path / "out"
    said = " ".join(run(file, "--out", out).output.split())
    assert "2 gaps, of 2 vehicles; 2 pings missing by their numbers; at least 47 missing by" in said
    assert [line for line in lines(out) if line["kind"] == "gap"] == [
        {
            "kind": "gap",
            "vehicle": "v1",
            "source": "a",
            "by": "sequence",
            "since": "2026-01-01T00:02:00Z",
            "until": "2026-01-01T00:03:30Z",
            "missing": 2,
        },
        {
            "kind": "gap",
            "vehicle": "v2",
            "source": None,
            "by": "rate",
            "since": "2026-01-01T00:09:50Z",
            "until": "2026-01-01T00:20:00Z",
            "missing": 47,
        },
    ]


def test_a_number_that_is_none_says_how_to_name_another_column(tmp_path: Path) -> None:
    rows = [row(*each, seq="A7") for each in DAY]
    with pytest.raises(Exception, match="name another column with --column seq=COLUMN"):
        run(written(tmp_path / "day.jsonl", *rows))


def test_fences_from_a_chinese_map_are_known_by_where_vehicles_stand(tmp_path: Path) -> None:
    lat, lon = from_wgs84(LAT, LON, Datum.GCJ02)
    drawn = YARD | {"geometry": {"type": "Point", "coordinates": [lon, lat]}}
    fences = written(tmp_path / "fences.geojson", drawn)
    days = [row(s + 7_200 * n, north_m) for n in range(6) for s, north_m in DAY]
    file = written(tmp_path / "day.jsonl", *days)
    said = " ".join(run(file, "--fences", fences).output.split())
    assert "if the coordinates of the fence were GCJ02; try --fences-datum gcj02" in said
    said = run(file, "--fences", fences, "--fences-datum", "gcj02").output
    assert ("6 visits to 1 fences" in said, "shifted" in said) == (True, False)


def test_the_picture_is_one_page_that_asks_no_other_host(
    day: Path, fences: Path, tmp_path: Path
) -> None:
    page = tmp_path / "map.html"
    assert run(day, "--fences", fences, "--map", page).exit_code == 0
    text = page.read_text()
    assert "http" not in text
    assert all(word in text for word in ("yard", "v1", "被拒 rejected", "left ·"))


def test_a_name_in_the_data_cannot_end_the_script(tmp_path: Path, fences: Path) -> None:
    rows = (row(*each) | {"vehicle_id": "</script><script>alert(1)"} for each in DAY)
    page = tmp_path / "map.html"
    run(written(tmp_path / "day.jsonl", *rows), "--fences", fences, "--map", page)
    assert "<script>alert" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["absent.csv"], "no file absent.csv", id="no file"),
        pytest.param(["DAY", "--fences", "absent"], "no file absent", id="no fences"),
        pytest.param(["DAY", "--fences", "DAY"], "cannot be read", id="fences are no GeoJSON"),
        pytest.param(["DAY", "--source", "datum=mars"], "write one of wgs84", id="datum"),
        pytest.param(["DAY", "--source", "zone=Mars"], "Asia/Shanghai", id="zone"),
        pytest.param(["DAY", "--sources", "absent.toml"], "absent.toml: No such", id="sources"),
        pytest.param(["DAY", "--column", "ts"], "--column ts is no pair", id="column"),
        pytest.param(["DAY", "--out", "/absent/out"], "no folder /absent", id="folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(day: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(Exception, match=said):
        run(*(str(day) if each == "DAY" else each for each in arguments))


def test_a_bad_fence_is_named(tmp_path: Path, day: Path) -> None:
    bad = YARD | {"geometry": {"type": "Point", "coordinates": [31.2, 121.4]}}
    file = written(tmp_path / "f.geojson", {"type": "FeatureCollection", "features": [YARD, bad]})
    with pytest.raises(FencesError, match=r"feature 2: coordinates = \[31.2,121.4\]: .* swapped"):
        run_visits(Wanted([day], Format(), file), Console(file=io.StringIO()))


def test_a_file_without_a_single_ping_is_told(tmp_path: Path) -> None:
    file = written(tmp_path / "day.jsonl", {"ts": 1})
    with pytest.raises(Exception, match=r"held no ping: line 1: lat = '\(absent\)'.*--column lat"):
        run(file)


def test_only_fences_a_vehicle_may_have_reached_are_looked_at() -> None:
    here, far = stop("here"), stop("far", 60_000)
    assert near([here, far], [ping(0), ping(60, 1_000)]) == [here]
    assert near([here, far], [ping(0), ping(9_000, 100_000)]) == [here, far]


def test_of_the_real_day_every_distinct_fix_is_a_position(tmp_path: Path) -> None:
    jersey.require_data()
    yard = YARD | {"geometry": {"type": "Point", "coordinates": [-74.092, 40.6877]}}
    fences = written(tmp_path / "yard.geojson", yard)
    out = tmp_path / "out.jsonl"
    result = run(jersey.FILE, "--fences", fences, "--out", out)
    assert result.exit_code == 0
    found = lines(out)
    assert sum(line["count"] for line in found if line["kind"] == "rejected") == 188_331
    assert "9,744 positions" in result.output
    vehicles = {line["vehicle"] for line in found if line["kind"] == "visit"}
    assert len(vehicles) >= 50


def test_what_may_be_read_wrongly_is_told(tmp_path: Path, fences: Path) -> None:
    rows = [
        {"time": row(10 * n, 0)["ts"], "lat": lat_of(120.0 * n), "lng": LON, "speed": 43.2}
        for n in range(40)
    ]
    file = written(tmp_path / "day.jsonl", *rows[:20], *(r | {"vehicle": "v2"} for r in rows[20:]))
    said = run(file, "--fences", fences).output
    assert "no column names the vehicle" in said
    assert "20 lines name no vehicle and are read as one called day" in said
    assert "try --source speed=kmh" in said
    assert "try --source speed=" not in run(file, "--source", "speed=kmh").output


def test_bad_lines_of_several_files_name_their_file_and_the_rest_is_counted(tmp_path: Path) -> None:
    good = written(tmp_path / "a.jsonl", *(row(*each) for each in DAY))
    text = b"\n".join(b"17" for _ in range(12))
    (tmp_path / "b.jsonl").write_bytes(text)
    said = run(good, tmp_path / "b.jsonl").output
    assert "b.jsonl, line 1: line = '17" in said
    assert "and 2 more lines" in said


def test_a_file_without_names_of_columns_is_read_with_a_header(tmp_path: Path) -> None:
    file, out = tmp_path / "1.txt", tmp_path / "out"
    file.write_text("".join(f"7,{row(*d)['ts']},{LON},{row(*d)['lat']}\n" for d in DAY))
    assert run(file, "--header", "taxi_id,time,lng,lat", "--out", out).exit_code == 0
    assert {line["vehicle"] for line in lines(out) if line["kind"] == "stop"} == {"7"}


def test_a_column_of_ours_that_is_not_known_is_told(day: Path) -> None:
    with pytest.raises(ConfigError, match="--column sped=v: sped is not known; of vehicle_id"):
        run(day, "--column", "sped=v")
