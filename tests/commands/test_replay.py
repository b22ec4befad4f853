from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from rich.console import Console

from commands.embedded import EmbeddedBroker
from commands.lines import Format
from commands.replay import Replay, ReplayError, Seen, Span, read, run_replay, survey
from stream import wire
from stream.config import Settings
from tests.builders import T0, ping

NOW = T0 + 1_000_000_000


def written(path: Path, text: bytes) -> Path:
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def lines(*seconds: float) -> bytes:
    return b"".join(wire.encode(ping(s)) + b"\n" for s in seconds)


@pytest.mark.parametrize("name", ["day.jsonl", "day.jsonl.gz"])
def test_json_lines_are_read_packed_or_not(tmp_path: Path, name: str) -> None:
    replay = Replay(written(tmp_path / name, lines(0, 5)), Format())
    assert [m.at for m in read(replay, Seen())] == [T0, T0 + 5_000]


def test_a_csv_file_is_read_by_its_header_also_with_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffvehicle_id,ts,lat,lon\nv1,1767225600,31.2,121.4\n".encode()
    replay = Replay(written(tmp_path / "day.csv.gz", text), Format())
    assert [(m.key, m.at) for m in read(replay, Seen())] == [("v1", T0)]


def test_bad_lines_are_counted_and_numbered_and_empty_ones_passed_over(tmp_path: Path) -> None:
    text = lines(0) + b"\n{\n" + lines(1) + b"17\n"
    seen = Seen()
    messages = list(read(Replay(written(tmp_path / "day.jsonl", text), Format()), seen))
    assert (len(messages), seen.lines, seen.bad) == (2, 5, 2)
    assert [number for number, _, _ in seen.shown] == [3, 5]


def test_a_gzip_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    path.write_bytes(gzip.compress(lines(*range(100)))[:-20])
    with pytest.raises(ReplayError, match="not whole gzip"):
        list(read(Replay(path, Format()), Seen()))


def test_the_survey_finds_first_and_last_also_when_out_of_order(tmp_path: Path) -> None:
    replay = Replay(written(tmp_path / "day.jsonl", lines(7, 0, 9, 3)), Format())
    assert survey(replay) == Span(T0, T0 + 9_000)


def test_a_file_without_a_good_line_cannot_be_surveyed(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="no line that can be read"):
        survey(Replay(written(tmp_path / "day.jsonl", b"{]\n"), Format()))


@pytest.mark.parametrize(
    ("speed", "first", "last"),
    [
        pytest.param(None, NOW - 60_000, NOW, id="as fast as possible: the last is now"),
        pytest.param(1.0, NOW, NOW + 60_000, id="as in life: the first is now"),
        pytest.param(60.0, NOW + 1_000 - 60_000, NOW + 1_000, id="faster: the last when sent"),
    ],
)
def test_rebase_sends_the_last_record_at_its_own_time(
    speed: float | None, first: int, last: int
) -> None:
    span = Span(T0, T0 + 60_000)
    shift = span.shift_ms(NOW, speed)
    assert (span.first + shift, span.last + shift) == (first, last)


def test_a_replay_says_what_went_in_and_what_did_not(
    tmp_path: Path, embedded: EmbeddedBroker
) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="replay.")
    path = written(tmp_path / "day.jsonl", lines(0, 1, 2) + b'{"vehicle_id":"v1","ts":1}\n')
    console = Console(file=io.StringIO(), width=200)
    code = run_replay(settings, Replay(path, Format(), rebase=True), console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert code == 1
    assert "4 lines read, 3 records in gps.pings" in said
    assert "line 4: lat = '(absent)': name its column with --map lat=COLUMN" in said


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="name a .jsonl or .csv file"):
        run_replay(Settings(), Replay(tmp_path / "none.jsonl", Format()), Console(quiet=True))
