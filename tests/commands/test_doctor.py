from __future__ import annotations

import io
from pathlib import Path

import aiokafka.codec
import pytest
from rich.console import Console

from commands.doctor import (
    Finding,
    Level,
    _clock,
    _faust,
    _pages,
    _pins,
    _python,
    _redis_version,
    _secret,
    doctor,
    examine,
)
from commands.embedded import EmbeddedBroker
from commands.process import free_port
from commands.round_trip import CODECS, RoundTrip, outside, round_trips
from commands.topics import connect, create, metadata
from stream.config import Settings
from tests.waiting import until
from ws_server.pages import Pages


def wrong(settings: Settings) -> list[Finding]:
    """Bad findings; warnings depend on how the tests were installed."""
    return [finding for finding in examine(settings) if finding.level is Level.BAD]


def test_a_sound_installation_has_nothing_bad(settings: Settings) -> None:
    create(settings)
    assert wrong(settings) == []


def test_the_broker_and_every_codec_are_reported(settings: Settings) -> None:
    create(settings)
    fine = {finding.about for finding in examine(settings) if finding.level is Level.OK}
    assert fine >= {"broker", "topics", *CODECS, "broker's clock", "Redis", "Redis's clock"}


def test_the_codecs_topic_is_removed(settings: Settings) -> None:
    admin = connect(settings)
    round_trips(admin, settings)
    until(lambda: not [n for n in metadata(admin, settings).topics if settings.topic_prefix in n])


def test_a_codec_without_its_library_is_said(
    embedded: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiokafka.codec, "cramjam", None)
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="doctor.", partitions=4)
    missing = "its library is missing"
    assert round_trips(connect(settings), settings) == [
        RoundTrip("gzip"),
        RoundTrip("snappy", missing),
        RoundTrip("lz4", missing),
        RoundTrip("zstd", missing),
    ]


def test_missing_topics_are_bad_and_say_what_to_run(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="none.", partitions=4, redis="")
    assert [(f.about, f.mend) for f in wrong(settings)] == [
        ("topics", "run `milepost topics create`")
    ]


def test_an_absent_broker_and_redis_are_found_and_no_password_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("commands.topics.ANSWER_S", 0.5)
    port = free_port()
    settings = Settings(brokers=f"127.0.0.1:{port}", redis=f"redis://:hunter2@127.0.0.1:{port}/0")
    printed = io.StringIO()
    sound = doctor(settings, Console(file=printed, width=300))
    text = printed.getvalue()
    assert not sound
    assert f"no Kafka broker answers at 127.0.0.1:{port}" in text
    assert f"redis://127.0.0.1:{port}/0" in text
    assert "hunter2" not in text


def test_running_without_redis_is_a_warning(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, redis="", partitions=4)
    about = {finding.about: finding.level for finding in examine(settings)}
    assert about["Redis"] is Level.WARN


def test_pinned_packages_are_compared() -> None:
    requirements = ["faust-streaming==0.15.3", "aiokafka==0.14.0", "rich>=13", "x==1; extra == 'y'"]
    installed = {"faust-streaming": "0.15.3", "aiokafka": "0.13.0"}
    assert list(_pins(requirements, installed.get)) == [
        Finding(Level.OK, "faust-streaming", "0.15.3"),
        Finding(Level.BAD, "aiokafka", "0.13.0, not 0.14.0", "pip install aiokafka==0.14.0"),
    ]


def test_an_old_python_is_bad() -> None:
    mend = "make a virtualenv with Python 3.11 or newer"
    assert _python((3, 10, 4)) == Finding(Level.BAD, "Python", "3.10.4", mend)


def test_faust_without_its_extension_is_bad() -> None:
    off = Finding(Level.BAD, "Faust's extension", "switched off", "unset NO_CYTHON")
    assert _faust("1") == off


def test_an_old_redis_is_bad() -> None:
    old = Finding(Level.BAD, "Redis", "6.0.16", "use Redis 6.2 or newer")
    assert (_redis_version("6.0.16"), _redis_version("6.2.1").level) == (old, Level.OK)


@pytest.mark.parametrize(
    ("skew_ms", "level", "found"),
    [
        pytest.param(2_000, Level.OK, "2000 ms off at least", id="two seconds pass"),
        pytest.param(2_500, Level.WARN, "2.5 s ahead of ours", id="ahead"),
        pytest.param(-3_000, Level.WARN, "3.0 s behind ours", id="behind"),
    ],
)
def test_clocks_more_than_two_seconds_apart_are_a_warning(
    skew_ms: int, level: Level, found: str
) -> None:
    finding = _clock("the clock", skew_ms)
    assert (finding.level, finding.found) == (level, found)


@pytest.mark.parametrize(
    ("at", "skew"),
    [
        pytest.param(15, 0, id="between"),
        pytest.param(25, 5, id="after"),
        pytest.param(7, -3, id="before"),
    ],
)
def test_a_stamp_between_send_and_answer_shows_no_skew(at: int, skew: int) -> None:
    assert outside(at, 10, 20) == skew


@pytest.mark.parametrize(
    ("secret", "level"), [("", Level.WARN), ("short", Level.WARN), ("s" * 32, Level.OK)]
)
def test_a_secret_that_push_would_not_take_is_said(secret: str, level: Level) -> None:
    assert _secret(Settings(token_secret=secret)).level is level


def test_pages_that_are_not_built_are_said(tmp_path: Path) -> None:
    assert _pages(Pages(tmp_path)).level is Level.WARN
    (tmp_path / "index.html").write_text("here")
    assert _pages(Pages(tmp_path)) == Finding(Level.OK, "pages", "built")
