"""The demo's view in the terminal: rates, freshness, newest milestones, alerts, oldest orders."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from redis import Redis
from redis.exceptions import RedisError
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.labels import Language, sentence
from alerts.model import Alert
from commands.board import Board, parse_metrics, total
from commands.words import STATES, ago, both, lasted, time_of_day
from orders.labels import AGES, CODES, STAGES
from orders.model import OrderStatus
from stream import keys
from stream.config import Settings

ANSWER_S = 2.0
ENTRIES_PER_LOOK = 2_000
"""Of one feed; more waits for the next look, so a burst does not stop the view."""


class Sources:
    """Redis feeds and the worker's metrics, read into a `Board`. An outage is a line there."""

    def __init__(self, settings: Settings, metrics_url: str, *, since: str = "0") -> None:
        self._metrics_url = metrics_url
        self._redis = Redis.from_url(
            settings.redis, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
        )
        self._after: dict[Any, Any] = {
            keys.feed(what, partition): since
            for what in (keys.ORDERS, keys.ALERTS)
            for partition in range(settings.partitions)
        }

    def look(self, board: Board) -> None:
        """Take in all that is new."""
        self._try(board, "Redis", self._read_feeds)
        self._try(board, "worker", self._read_metrics)

    def close(self) -> None:
        self._redis.close()

    def _try(self, board: Board, name: str, read: Callable[[Board], None]) -> None:
        try:
            read(board)
            board.trouble.pop(name, None)
        except (RedisError, OSError, urllib.error.URLError) as away:
            board.trouble[name] = str(away)

    def _read_feeds(self, board: Board) -> None:
        answer: Any = self._redis.xread(self._after, count=ENTRIES_PER_LOOK)
        for stream, entries in answer:
            name = stream.decode()
            alerts = name.startswith(keys.feed(keys.ALERTS, 0)[:-1])
            for entry_id, fields in entries:
                if alerts:
                    board.note_alert(msgspec.json.decode(fields[keys.ANSWER], type=Alert))
                else:
                    board.note_status(msgspec.json.decode(fields[keys.ANSWER], type=OrderStatus))
                self._after[name] = entry_id.decode()

    def _read_metrics(self, board: Board) -> None:
        with urllib.request.urlopen(self._metrics_url, timeout=ANSWER_S) as answer:
            board.note_metrics(parse_metrics(answer.read().decode()), time.monotonic())


def render(
    board: Board, note: str, links: Sequence[str], now_ms: int, width: int
) -> RenderableType:
    """The whole screen. `links` stand in no frame, so that a terminal lets them be copied."""
    layout = Layout()
    rows = sum(-(-len(link) // width) for link in links)
    layout.split_column(
        Layout(Text("\n".join(links), overflow="fold"), name="links", size=rows),
        Layout(_head(board, note), name="head", size=5 + bool(board.trouble)),
        Layout(name="body"),
    )
    layout["body"].split_row(Layout(name="left"), Layout(name="right"))
    layout["body"]["left"].split_column(
        Layout(_panel("newest milestones", milestones_table(board, now_ms, 30))),
    )
    layout["body"]["right"].split_column(
        Layout(_panel(f"alerts ({len(board.alerts):,})", alerts_table(board, now_ms, 15))),
        Layout(_panel("oldest open orders", orders_table(board, now_ms, 15))),
    )
    return layout


def _panel(title: str, body: RenderableType) -> Panel:
    return Panel(body, title=title, title_align="left", border_style="dim")


def _head(board: Board, note: str) -> RenderableType:
    lines: list[RenderableType] = [Text(rates_line(board), "bold"), freshness_line(board)]
    if board.trouble:
        away = "; ".join(f"{name} does not answer: {why}" for name, why in board.trouble.items())
        lines.append(Text(away, "bold red", no_wrap=True, overflow="ellipsis"))
    lines.append(Text(note, "dim", no_wrap=True, overflow="ellipsis"))
    return Panel(Group(*lines), title="Milepost", title_align="left")


def rates_line(board: Board) -> str:
    rates, sample = board.rates, board.sample
    lag = total(sample, "milepost_consumer_lag_records")
    return (
        f"{rates.pings:,.0f} pings/s   {rates.events:,.1f} order events/s   "
        f"{rates.statuses:,.1f} statuses/s   lag {lag:,.0f} records   "
        f"{total(sample, 'milepost_pings'):,.0f} pings so far"
    )


def freshness_line(board: Board) -> Text:
    share = board.fresh_share()
    if share is None:
        return Text("no order in transit yet")
    colour = "green" if share >= 0.95 else "yellow" if share >= 0.85 else "red"
    text = f"{share:.1%} of the orders in transit are fresh (heard of within 15 min)"
    return Text(f"{text}; {len(board.orders):,} orders open", colour)


def milestones_table(board: Board, now_ms: int, count: int) -> Table:
    table = _table("reported", "order", "milestone", "happened", "by", wide="milestone")
    for order_id, m in list(board.milestones)[: -count - 1 : -1]:
        label = both(CODES[m.code])
        table.add_row(
            time_of_day(m.reported_at), order_id, label, ago(m.occurred_at, now_ms), m.source
        )
    return table


def alerts_table(board: Board, now_ms: int, count: int) -> Table:
    table = _table("state", "for", "what", wide="what")
    for alert in board.firing()[:count]:
        state = Text(alert.state, STATES[alert.state])
        table.add_row(state, lasted(now_ms - alert.since), Text(sentence(alert, Language.EN)))
    return table


def orders_table(board: Board, now_ms: int, count: int) -> Table:
    table = _table("order", "stage", "age", "vehicle", "known", wide="known")
    for status in board.oldest(count):
        lasts = lasted(now_ms - (status.received_at or now_ms))
        vehicle = status.vehicle_id or "-"
        table.add_row(
            status.order_id, both(STAGES[status.stage]), lasts, vehicle, both(AGES[status.age])
        )
    return table


def _table(*columns: str, wide: str) -> Table:
    """Columns as wide as what stands in them, but for `wide`, which takes the rest."""
    table = Table(box=None, padding=(0, 1, 0, 0), expand=True)
    for column in columns:
        ratio = 1 if column == wide else None
        table.add_column(column, no_wrap=True, overflow="ellipsis", header_style="dim", ratio=ratio)
    return table


def plain(board: Board) -> str:
    """One line, for pipes and logs."""
    newest = board.milestones[-1] if board.milestones else None
    last = f"{newest[0]} {both(CODES[newest[1].code])}" if newest else "none yet"
    trouble = "".join(f"   {name} does not answer: {why}" for name, why in board.trouble.items())
    return (
        f"{rates_line(board)}   {freshness_line(board)}   {len(board.alerts):,} alerts   "
        f"newest milestone: {last}{trouble}"
    )
