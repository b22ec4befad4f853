from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from commands.lines import Format
from commands.recordings import recorded
from commands.replay import ReplayError, Seen
from geo.model import Ping
from tests.builders import T0

CSV = "车牌号,ts,lat,lon\n沪A1,1767225600,31.2,121.4\n沪A1,1767225610,31.3,121.5\n"
BERLIN = "vehicle_id,ts,lat,lon,Straße\nBär,1767225600,31.2,121.4,Höfe\n"
OBJECTS = (
    '{"vehicle_id":"a","ts":1767225600,"lat":31.2,"lon":121.4}',
    '{"vehicle_id":"b","ts":1767225600,"lat":31.2,"lon":121.4}',
)


def read(file: Path, seen: Seen, form: Format | None = None) -> list[Ping]:
    return list(recorded(file, form or Format(option="--column"), seen))


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        pytest.param(CSV, "utf-8", {}, id="UTF-8"),
        pytest.param(CSV, "utf-8-sig", {}, id="UTF-8 with a mark"),
        pytest.param(CSV, "utf-16", {"day.csv": "utf-16"}, id="UTF-16"),
        pytest.param(CSV, "gb18030", {"day.csv": "gb18030"}, id="GB18030"),
        pytest.param(CSV.replace("\n", "\r\n"), "utf-8", {}, id="CRLF"),
        pytest.param(CSV.replace("\n", "\r"), "utf-8", {}, id="CR"),
    ],
)
def test_a_file_is_read_whatever_its_encoding_and_line_ends(
    tmp_path: Path, text: str, encoding: str, told: dict[str, str]
) -> None:
    file, seen = tmp_path / "day.csv", Seen()
    file.write_bytes(text.encode(encoding))
    assert [(p.vehicle_id, p.ts) for p in read(file, seen)] == [("沪A1", T0), ("沪A1", T0 + 10_000)]
    assert (seen.bad, seen.encodings) == (0, told)


def test_single_letters_beyond_ascii_are_those_of_windows(tmp_path: Path) -> None:
    file, seen = tmp_path / "day.csv", Seen()
    file.write_bytes(BERLIN.encode("cp1252"))
    assert [ping.vehicle_id for ping in read(file, seen)] == ["Bär"]
    assert seen.encodings == {"day.csv": "cp1252"}


@pytest.mark.parametrize("between", [",", ",\n  "])
@pytest.mark.parametrize("name", ["day.json", "day.json.gz"])
def test_a_file_that_is_one_array_gives_its_elements(
    tmp_path: Path, between: str, name: str
) -> None:
    file, seen = tmp_path / name, Seen()
    text = f"[{between.join(OBJECTS)}]\n".encode()
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    assert [ping.vehicle_id for ping in read(file, seen)] == ["a", "b"]
    assert (seen.lines, seen.bad) == (2, 0)


def test_an_array_a_line_stays_a_line(tmp_path: Path) -> None:
    file, seen = tmp_path / "day.jsonl", Seen()
    file.write_text(
        "".join(f"[{each}]\n" for each in OBJECTS).replace("1767225600", "1767225600000")
    )
    assert [ping.vehicle_id for ping in read(file, seen)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("a.csv", "1,1767225600,31.2,121.4\n", "first line is data.*--header", id="no"),
        pytest.param("a.csv", "ts,lat,lon,lat\n", "two columns lat", id="twice"),
        pytest.param("a.csv", 'ts,lat\rlon\n1,"2\n', "is not CSV", id="CR in a line of LF"),
        pytest.param("a.json", '{\n"locations": []}\n', r"jq -c '.locations\[\]' a.json", id="one"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    with pytest.raises(ReplayError, match=said):
        read(file, Seen())


def test_the_names_of_columns_may_be_given(tmp_path: Path) -> None:
    file, seen = tmp_path / "1.txt", Seen()
    file.write_text("1;2026-01-01 00:00:00Z;121.4;31.2\n")
    form = Format(header=("taxi_id", "time", "lng", "lat"), option="--column")
    assert read(file, seen, form) == [Ping("1", T0, 31.2, 121.4)]
    assert (seen.lines, list(seen.headers)) == (1, [form.header])
