"""What a worker must know of the broker before it starts: that the topics are there, and how many
partitions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from stream.config import ConfigError, Settings
from stream.role import Role

log = logging.getLogger(__name__)

RETRY_S = 2.0


async def partition_count(settings: Settings, roles: Iterable[Role], stop: asyncio.Event) -> int:
    """The partition count the topics of `roles` share; waits for a broker that is away.

    Raises ConfigError if a topic is missing or the counts differ: vehicles and orders would be torn
    apart.
    """
    names = {settings.topic(name) for role in roles for name in (*role.inputs, role.state_topic)}
    while True:
        try:
            counts = await _counts(settings.brokers, names)
            break
        except (KafkaError, OSError) as away:
            log.warning("no broker at %s yet (%s); trying again", settings.brokers, away)
            if await _stopped(stop):
                raise ConfigError(
                    f"stopped while waiting for a broker at {settings.brokers}"
                ) from away
    missing = sorted(name for name, count in counts.items() if not count)
    if missing:
        raise ConfigError(
            f"no topic {', '.join(missing)} on {settings.brokers}; run `milepost topics create`"
        )
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
        raise ConfigError(f"topics must have the same number of partitions, but: {listed}")
    return next(iter(counts.values()))


async def _counts(brokers: str, names: set[str]) -> dict[str, int]:
    client = AIOKafkaClient(bootstrap_servers=brokers)
    try:
        await client.bootstrap()
        # All of them: asking for one by name makes aiokafka log, and some brokers create it.
        cluster = await client.fetch_all_metadata()
        return {name: len(cluster.partitions_for_topic(name) or ()) for name in names}
    finally:
        await client.close()


async def _stopped(stop: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), RETRY_S)
    except TimeoutError:
        return False
    return True
