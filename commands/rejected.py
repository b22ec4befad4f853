"""`milepost rejected`: what could not be taken, counted by reason, and the newest in full."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from commands.topics import BrokerAway, connect, metadata
from geo.model import Rejected
from stream.config import Settings
from stream.letters import DeadLetter
from stream.topics import DEAD_LETTERS
from stream.wire import decode_letters, encode

if TYPE_CHECKING:  # At run time it would bring all of Faust.
    from stream.bulk import Record

SHOWN = 120
"""Characters of a refused value that are shown."""

POLL_MS = 500
IDLE_POLLS = 20
"""So many polls without a record and not at the end: the broker is taken to be gone."""


class NoSuchTopic(Exception):
    """The broker has no dead-letter topic; the text says its name and what to do."""


class Tally:
    """Counts of all letters and the newest `limit` of them, in memory that does not grow with them.

    With a `reason`, letters of other reasons are passed over.
    """

    def __init__(self, limit: int, reason: str | None = None) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._limit = limit
        self._reason = reason
        self._newest: list[tuple[tuple[int, str, int, int], int, DeadLetter]] = []

    def add(self, letter: DeadLetter) -> None:
        if self._reason not in (None, letter.reason):
            return
        self.counts[letter.topic, letter.reason] += 1
        age = (letter.rejected_at, letter.topic, letter.partition, letter.offset)
        # The count breaks ties: elements of one array share all the rest.
        heapq.heappush(self._newest, (age, self.counts.total(), letter))
        if len(self._newest) > self._limit:
            heapq.heappop(self._newest)

    def newest(self) -> list[DeadLetter]:
        """Newest first."""
        return [letter for _, _, letter in sorted(self._newest, reverse=True)]


def rejected(settings: Settings, *, limit: int, reason: str | None, as_json: bool) -> None:
    """Read the dead-letter topic to its present end and print. Raises BrokerAway, NoSuchTopic."""
    with Console(stderr=True).status(f"reading {settings.topic(DEAD_LETTERS)}"):
        tally = asyncio.run(_tally(settings, Tally(limit, reason)))
    if as_json:
        for letter in tally.newest():
            print(encode(letter).decode())
    else:
        Console().print(report(tally), soft_wrap=True)


def report(tally: Tally) -> RenderableType:
    """For people: the counts as a table, then the newest letters."""
    if not tally.counts:
        return Text("Nothing was rejected.")
    table = Table("topic", "reason", box=SIMPLE)
    table.add_column("letters", justify="right")
    for (topic, reason), count in tally.counts.most_common():
        table.add_row(Text(readable(topic)), Text(readable(reason)), f"{count:,}")
    return Group(table, *(Text("\n").join(_lines(letter)) for letter in tally.newest()))


def _lines(letter: DeadLetter) -> Iterator[Text]:
    when = datetime.fromtimestamp(letter.rejected_at / 1000, UTC).strftime("%F %T UTC")
    where = f"{letter.topic} partition {letter.partition} offset {letter.offset}"
    yield Text.assemble((when, "dim"), f"  {readable(where)}  ", (readable(letter.reason), "bold"))
    yield Text(f"    {readable(letter.detail)}")
    yield Text(f"    {preview(letter)}", style="dim")
    for line in letter.traceback.splitlines():
        yield Text(f"    {readable(line)}", style="red")


def preview(letter: DeadLetter) -> str:
    """The start of the refused bytes, and how many there were if that is not all."""
    if letter.value is None:
        return "(no value)"
    # Four bytes are the longest character.
    text = letter.value[: 4 * SHOWN].decode(errors="backslashreplace")
    rest = f" … ({letter.size:,} bytes)" if len(text) > SHOWN or letter.size > 4 * SHOWN else ""
    return readable(text[:SHOWN]) + rest


def readable(text: str) -> str:
    """What a producer sent, without power over the terminal: control characters become escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


async def _tally(settings: Settings, tally: Tally) -> Tally:
    async for letter in _letters(settings):
        tally.add(letter)
    return tally


async def _letters(settings: Settings) -> AsyncIterator[DeadLetter]:
    """All letters from the first to the end as it is now. What is no letter becomes one itself."""
    partitions = _partitions(settings)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in _records(consumer, await consumer.end_offsets(partitions)):
            for letter in decode_letters(record.value):
                yield DeadLetter.of(letter, record) if isinstance(letter, Rejected) else letter
    finally:
        await consumer.stop()


def _partitions(settings: Settings) -> list[TopicPartition]:
    name = settings.topic(DEAD_LETTERS)
    topic = metadata(connect(settings), settings).topics.get(name)
    if topic is None:
        raise NoSuchTopic(
            f"the broker at {settings.brokers} has no topic {name}: create it with "
            "`milepost topics create`, or name the right broker and MILEPOST_TOPIC_PREFIX"
        )
    return [TopicPartition(name, number) for number in topic.partitions]


async def _records(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Record]:
    """The records before `ends`, and perhaps some that came since. Raises BrokerAway."""
    idle = 0
    while any([await consumer.position(tp) < end for tp, end in ends.items()]):
        batches = await consumer.getmany(timeout_ms=POLL_MS)
        idle = 0 if batches else idle + 1
        if idle > IDLE_POLLS:
            raise BrokerAway("the broker stopped answering while we read: try again")
        for record in chain.from_iterable(batches.values()):
            yield record
