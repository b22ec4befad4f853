from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from rich.console import Console

from commands.embedded import EmbeddedBroker
from commands.rejected import SHOWN, NoSuchTopic, Tally, preview, readable, rejected, report
from commands.topics import BrokerAway
from stream.config import Settings
from stream.letters import DeadLetter
from stream.topics import DEAD_LETTERS
from stream.wire import encode


def letter(
    at: int = 1_767_225_600_000,
    *,
    reason: str = "not_json",
    topic: str = "gps.pings",
    value: bytes | None = b"{",
    traceback: str = "",
) -> DeadLetter:
    return DeadLetter(
        reason=reason,
        detail="JSON is malformed",
        topic=topic,
        partition=3,
        offset=41,
        key=None,
        value=value,
        size=len(value or b""),
        rejected_at=at,
        traceback=traceback,
    )


def tally_of(*letters: DeadLetter, limit: int = 10, reason: str | None = None) -> Tally:
    tally = Tally(limit, reason)
    for one in letters:
        tally.add(one)
    return tally


def printed(tally: Tally) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(report(tally))
    return capture.get()


def test_letters_are_counted_by_topic_and_reason() -> None:
    tally = tally_of(letter(), letter(), letter(reason="empty"), letter(topic="orders.events"))
    assert tally.counts == {
        ("gps.pings", "not_json"): 2,
        ("gps.pings", "empty"): 1,
        ("orders.events", "not_json"): 1,
    }


def test_only_the_newest_are_kept_newest_first() -> None:
    tally = tally_of(letter(2), letter(4), letter(1), letter(3), limit=2)
    assert tally.newest() == [letter(4), letter(3)]
    assert tally.counts.total() == 4


def test_letters_for_one_record_are_all_kept() -> None:
    assert tally_of(letter(1), letter(1), letter(1)).newest() == [letter(1)] * 3


def test_no_letters_may_be_wanted() -> None:
    assert tally_of(letter(), limit=0).newest() == []


def test_letters_of_other_reasons_are_passed_over() -> None:
    tally = tally_of(letter(1), letter(2, reason="empty"), reason="empty")
    assert tally.newest() == [letter(2, reason="empty")]
    assert tally.counts == {("gps.pings", "empty"): 1}


def test_a_report_counts_and_then_shows_each_letter() -> None:
    text = printed(tally_of(letter(traceback="Traceback\n  boom")))
    assert [line.strip() for line in text.splitlines() if line.strip()][0:4:3] == [
        "topic       reason     letters",
        "2026-01-01 00:00:00 UTC  gps.pings partition 3 offset 41  not_json",
    ]
    assert text.endswith("    JSON is malformed\n    {\n    Traceback\n      boom\n")


def test_a_report_of_nothing_says_so() -> None:
    assert printed(tally_of()) == "Nothing was rejected.\n"


def test_what_a_producer_sent_has_no_power_over_the_terminal_or_our_markup() -> None:
    text = printed(tally_of(letter(value=b"\x1b[2J\x07[bold]x", topic="\x1b]0;")))
    assert "\\x1b[2J\\x07[bold]x" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, "(no value)", id="tombstone"),
        pytest.param(b"", "", id="empty"),
        pytest.param("沪A".encode(), "沪A", id="any script"),
        pytest.param(b"\xff\x00\n", "\\xff\\x00\\n", id="bytes that are no text"),
        pytest.param(b"x" * SHOWN, "x" * SHOWN, id="just short enough"),
        pytest.param(b"x" * 1000, "x" * SHOWN + " … (1,000 bytes)", id="too long"),
    ],
)
def test_a_preview_is_the_start_of_the_value(value: bytes | None, shown: str) -> None:
    assert preview(letter(value=value)) == shown


def test_readable_text_stays_as_it_is() -> None:
    assert readable("沪A 12345") == "沪A 12345"


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


def fill(broker: EmbeddedBroker, *values: bytes) -> Settings:
    """A dead-letter topic that holds these records."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    producer.list_topics(DEAD_LETTERS, timeout=10)
    for value in values:
        producer.produce(DEAD_LETTERS, value)
    assert producer.flush(10) == 0
    return Settings(brokers=broker.bootstrap)


def test_all_letters_on_the_topic_are_read_and_then_it_stops(
    broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = [letter(at) for at in range(50)]
    settings = fill(broker, *map(encode, letters))
    rejected(settings, limit=2, reason=None, as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [encode(letter(49)).decode(), encode(letter(48)).decode()]


def test_a_record_that_is_no_letter_is_shown_as_one(
    broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = fill(broker, b"what?", encode(letter()))
    rejected(settings, limit=10, reason="not_json", as_json=True)
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["topic"], one["value"]) for one in shown] == [
        (DEAD_LETTERS, "d2hhdD8="),
        ("gps.pings", "ew=="),
    ]


def test_people_get_a_table(broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]) -> None:
    rejected(fill(broker, encode(letter())), limit=1, reason=None, as_json=False)
    assert "gps.pings   not_json         1" in capsys.readouterr().out


def test_an_empty_topic_is_no_wait(
    broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    rejected(fill(broker), limit=1, reason=None, as_json=False)
    assert capsys.readouterr().out == "Nothing was rejected.\n"


def test_without_the_topic_a_sentence_says_what_to_do(broker: EmbeddedBroker) -> None:
    settings = Settings(brokers=broker.bootstrap, topic_prefix="other.")
    with pytest.raises(NoSuchTopic, match=r"no topic other\.dead\.letters: create it with"):
        rejected(settings, limit=1, reason=None, as_json=False)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    assert "other.dead.letters" not in admin.list_topics(timeout=10).topics


def test_without_a_broker_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.topics.ANSWER_S", 0.2)
    with pytest.raises(BrokerAway, match="no Kafka broker answers at 127.0.0.1:1"):
        rejected(Settings(brokers="127.0.0.1:1"), limit=1, reason=None, as_json=False)
