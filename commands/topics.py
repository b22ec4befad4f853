"""Create and check the topics of stream/topics.py on the broker."""

from __future__ import annotations

import time
from collections.abc import Iterator

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    TopicMetadata,
)
from msgspec import Struct
from rich.box import SIMPLE
from rich.table import Table

from stream.config import Settings
from stream.topics import TOPICS, TopicSpec

ANSWER_S = 10.0
# What a wrong value of would change what Milepost means; the rest (retention, segments) is taste.
_CHECKED = ("cleanup.policy", "message.timestamp.type")
_BROKER_DEFAULT = {"message.timestamp.type": "CreateTime"}


class BrokerAway(Exception):
    """No broker answers; the text says where it was looked for and what to do."""


class Problem(Struct, frozen=True):
    what: str
    mend: str
    """One sentence: what to do about it."""


def connect(settings: Settings) -> AdminClient:
    """A client of a broker that answers. Raises BrokerAway."""
    admin = AdminClient({"bootstrap.servers": settings.brokers, "log_level": 0})
    metadata(admin, settings)
    return admin


def metadata(admin: AdminClient, settings: Settings) -> ClusterMetadata:
    """What the broker says it has. Raises BrokerAway."""
    try:
        return admin.list_topics(timeout=ANSWER_S)
    except KafkaException as away:
        raise BrokerAway(
            f"no Kafka broker answers at {settings.brokers}: start one with `milepost kafka`, "
            "or name yours with --brokers or MILEPOST_BROKERS"
        ) from away


def create(settings: Settings, *, replication: int = 1, alter: bool = False) -> list[str]:
    """Create what is missing and say its names; `alter` also mends the settings of what is there.

    Returns once the new ones can be used. Safe to repeat, and for two processes at once.
    Raises BrokerAway, KafkaException.
    """
    admin = connect(settings)
    there = metadata(admin, settings)
    missing = [spec for spec in TOPICS if settings.topic(spec.name) not in there.topics]
    if is_embedded(there):
        return _touch(settings, missing)
    if alter:
        _alter(admin, settings, [spec for spec in TOPICS if spec not in missing])
    created = _create(admin, [_new_topic(settings, spec, replication) for spec in missing])
    _wait_for_leaders(admin, settings, created)
    return created


def _new_topic(settings: Settings, spec: TopicSpec, replication: int) -> NewTopic:
    name = settings.topic(spec.name)
    return NewTopic(name, settings.partitions, replication, config=spec.config())


def _create(admin: AdminClient, missing: list[NewTopic]) -> list[str]:
    if not missing:
        return []
    created = []
    for name, done in admin.create_topics(missing, operation_timeout=ANSWER_S).items():
        try:
            done.result()
            created.append(name)
        except KafkaException as refused:
            if refused.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return created


def _wait_for_leaders(admin: AdminClient, settings: Settings, names: list[str]) -> None:
    """The controller answers before the brokers know: who asks at once would find no topic."""
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        known = metadata(admin, settings).topics
        if all(name in known and _led(known[name]) for name in names):
            return
        time.sleep(0.05)
    raise BrokerAway(
        f"the broker made the topics but no partition leaders within {ANSWER_S:.0f} s: "
        "look whether all its nodes are up"
    )


def _led(topic: TopicMetadata) -> bool:
    partitions = topic.partitions.values()
    return bool(partitions) and all(partition.leader >= 0 for partition in partitions)


def _alter(admin: AdminClient, settings: Settings, specs: list[TopicSpec]) -> None:
    resources = [
        ConfigResource(
            ConfigResource.Type.TOPIC,
            settings.topic(spec.name),
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in spec.config().items()
            ],
        )
        for spec in specs
    ]
    if resources:
        for done in admin.incremental_alter_configs(resources).values():
            done.result()


def _touch(settings: Settings, specs: list[TopicSpec]) -> list[str]:
    """The embedded broker makes a topic when somebody asks about it."""
    names = [settings.topic(spec.name) for spec in specs]
    producer = Producer({"bootstrap.servers": settings.brokers, "log_level": 0})
    for name in names:
        producer.list_topics(name, timeout=ANSWER_S)
    return names


def is_embedded(cluster: ClusterMetadata) -> bool:
    return (cluster.cluster_id or "").startswith("mockCluster")


def check(settings: Settings) -> list[Problem]:
    """Everything about the topics that would make Milepost wrong. Raises BrokerAway."""
    admin = connect(settings)
    cluster = metadata(admin, settings)
    partitions = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
    there = [spec for spec in TOPICS if settings.topic(spec.name) in partitions]
    problems = [*_missing(settings, there), *_miscounted(settings, there, partitions)]
    if not is_embedded(cluster):
        problems += _misconfigured(admin, settings, there)
    return problems


def _missing(settings: Settings, there: list[TopicSpec]) -> Iterator[Problem]:
    names = [settings.topic(spec.name) for spec in TOPICS if spec not in there]
    if names:
        yield Problem(f"missing: {', '.join(names)}", "run `milepost topics create`")


def _miscounted(
    settings: Settings, there: list[TopicSpec], partitions: dict[str, int]
) -> Iterator[Problem]:
    counts = {partitions[settings.topic(spec.name)] for spec in there}
    if len(counts) == 1:
        mend = f"set MILEPOST_PARTITIONS={counts.pop()}, which is what all topics have"
    else:
        mend = "delete it and run `milepost topics create`: adding partitions moves keys"
    for spec in there:
        name = settings.topic(spec.name)
        if partitions[name] != settings.partitions:
            has = f"topic {name} has {partitions[name]} partitions"
            yield Problem(f"{has}, MILEPOST_PARTITIONS is {settings.partitions}", mend)


def _misconfigured(
    admin: AdminClient, settings: Settings, there: list[TopicSpec]
) -> Iterator[Problem]:
    asked = [ConfigResource(ConfigResource.Type.TOPIC, settings.topic(spec.name)) for spec in there]
    answers = admin.describe_configs(asked) if asked else {}
    for spec, resource in zip(there, asked, strict=True):
        has = answers[resource].result()
        wants = _BROKER_DEFAULT | spec.config()
        for setting in _CHECKED:
            if has[setting].value != wants[setting]:
                found = f"topic {resource.name} has {setting}={has[setting].value}"
                yield Problem(
                    f"{found}, not {wants[setting]}", "run `milepost topics create --alter`"
                )


def table(settings: Settings) -> Table:
    """`milepost topics list`: what each topic is for and how it is kept; asks no broker."""
    shown = Table(box=SIMPLE, pad_edge=False)
    for heading in ("topic", "key", "kept", "time"):
        shown.add_column(heading, no_wrap=True)
    shown.add_column("what")
    for spec in TOPICS:
        kept = "newest per key" if spec.compacted else f"{spec.retention_ms // 86_400_000} days"
        time = "arrival" if spec.append_time else "sender's"
        shown.add_row(settings.topic(spec.name), spec.key, kept, time, spec.what)
    shown.caption = f"{settings.partitions} partitions each"
    return shown
