from __future__ import annotations

import msgspec
import pytest
from confluent_kafka.admin import NewTopic

from commands.embedded import EmbeddedBroker
from commands.process import free_port
from commands.topics import BrokerAway, Problem, check, connect, create, metadata
from stream.config import Settings
from stream.topics import ORDER_STATUS, PINGS, TOPICS
from tests.waiting import until

ALL = {spec.name for spec in TOPICS}


def make(
    settings: Settings, name: str, *, partitions: int = 4, wrong: dict[str, str] | None = None
) -> None:
    """A topic as somebody else would make it."""
    config = next(spec.config() for spec in TOPICS if spec.name == name) | (wrong or {})
    topic = NewTopic(settings.topic(name), partitions, 1, config=config)
    admin = connect(settings)
    admin.create_topics([topic])[topic.topic].result(20)
    until(lambda: topic.topic in metadata(admin, settings).topics)


def test_created_topics_have_nothing_wrong(settings: Settings) -> None:
    assert {name.removeprefix(settings.topic_prefix) for name in create(settings)} == ALL
    assert check(settings) == []


def test_creating_again_creates_nothing(settings: Settings) -> None:
    create(settings)
    assert create(settings) == []


def test_missing_topics_are_named(settings: Settings) -> None:
    make(settings, PINGS)
    names = ", ".join(settings.topic(spec.name) for spec in TOPICS if spec.name != PINGS)
    assert check(settings) == [Problem(f"missing: {names}", "run `milepost topics create`")]


def test_a_topic_with_another_partition_count_is_to_be_made_anew(settings: Settings) -> None:
    make(settings, ORDER_STATUS, partitions=3)
    create(settings)
    assert check(settings) == [
        Problem(
            f"topic {settings.topic(ORDER_STATUS)} has 3 partitions, MILEPOST_PARTITIONS is 4",
            "delete it and run `milepost topics create`: adding partitions moves keys",
        )
    ]


def test_a_wrong_setting_is_mended_where_all_topics_agree(settings: Settings) -> None:
    create(settings)
    other = msgspec.structs.replace(settings, partitions=7)
    mends = {problem.mend for problem in check(other)}
    assert mends == {"set MILEPOST_PARTITIONS=4, which is what all topics have"}


@pytest.mark.parametrize(
    ("name", "setting", "wrong", "right"),
    [
        pytest.param(ORDER_STATUS, "cleanup.policy", "delete", "compact", id="not compacted"),
        pytest.param(PINGS, "cleanup.policy", "compact", "delete", id="compacted"),
        pytest.param(
            *(PINGS, "message.timestamp.type", "CreateTime", "LogAppendTime"),
            id="the sender's time where arrival is needed",
        ),
    ],
)
def test_a_topic_kept_otherwise_is_said_and_mended(
    settings: Settings, name: str, setting: str, wrong: str, right: str
) -> None:
    make(settings, name, wrong={setting: wrong})
    create(settings)
    assert check(settings) == [
        Problem(
            f"topic {settings.topic(name)} has {setting}={wrong}, not {right}",
            "run `milepost topics create --alter`",
        )
    ]
    create(settings, alter=True)
    until(lambda: check(settings) == [])


def test_the_embedded_broker_makes_topics_too(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="topics.", partitions=4)
    assert {name.removeprefix("topics.") for name in create(settings)} == ALL
    assert (create(settings), check(settings)) == ([], [])


def test_an_absent_broker_says_where_it_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.topics.ANSWER_S", 0.5)
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerAway, match=f"no Kafka broker answers at {nowhere}"):
        connect(Settings(brokers=nowhere))
