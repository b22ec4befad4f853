from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from commands.doctor import Level, _sources, report
from commands.sources import read_sources, sources_of
from geo.crs import Datum
from geo.sources import BadSource, Source
from stream.config import Settings


def written(folder: Path, text: str) -> Path:
    file = folder / "sources.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_has_a_table_for_each_source(tmp_path: Path) -> None:
    file = written(tmp_path, '[north]\ndatum = "gcj02"\n["沪 & Co"]\nsilent_after_ms = 7200000\n')
    settings = Settings(source="datum=bd09", sources=str(file))
    assert sources_of(settings) == (
        Source(Datum.BD09),
        {"north": Source(Datum.GCJ02), "沪 & Co": Source(silent_after_ms=7_200_000)},
    )


def test_without_a_file_no_source_has_a_name() -> None:
    assert sources_of(Settings()) == (Source(), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[north", "is no TOML: .*; write a \\[NAME\\] and KEY = VALUE", id="no TOML"),
        pytest.param(
            "[north]\ndwell_ms = 'long'",
            r"sources.toml: \[north\] dwell_ms = 'long': write a whole number",
            id="value",
        ),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSource, match=said):
        read_sources(written(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"absent.toml: No such file or directory; name a TOML"):
        read_sources(tmp_path / "absent.toml")
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BadSource, match=r"binary.toml is no TOML"):
        read_sources(file)


def test_the_doctor_names_the_sources_or_what_is_wrong_with_them(tmp_path: Path) -> None:
    good = written(tmp_path, "[north]\n[south]\n")
    finding = _sources(Settings(sources=str(good)))
    assert (finding.level, finding.found) == (Level.OK, "north, south")
    assert _sources(Settings()).level is Level.OK
    finding = _sources(Settings(sources=str(written(tmp_path, "[north]\ndatum = 'mars'\n"))))
    assert finding.level is Level.BAD
    console = Console(width=200)
    with console.capture() as printed:
        console.print(report([finding]))
    assert "[north] datum = 'mars': write one of" in printed.get()
