"""`milepost watch ORDER|VEHICLE`: one order or vehicle in the terminal, as Redis has it, each
second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from redis import Redis
from redis.exceptions import RedisError
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerts.labels import Language, sentence
from alerts.model import Alert, Rule, State
from alerts.notice import alert_id
from commands.redis import without_password
from commands.words import STATES, ago, both, clock, lasted, place
from geo.model import Motion
from orders.labels import AGES, CODES, STAGES
from orders.model import Age, Milestone, OrderStatus
from stream import keys
from stream.clock import wall_ms
from stream.config import Settings
from stream.keys import Position
from stream.topics import partition_of

LOOK_S = 1.0
ANSWER_S = 2.0
STALE_MS = 15 * 60_000
"""Promise 4: nothing is silently older than this."""


@dataclass(frozen=True)
class Watched:
    """What Redis says about a name: an order, a vehicle, or (both None) nothing."""

    name: str
    status: OrderStatus | None = None
    position: Position | None = None
    """Of the vehicle, or of the order's vehicle."""
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Away:
    """Redis does not answer, `since` Unix ms."""

    since: int
    why: str
    url: str


class Watch:
    """Reads Redis; remembers the last answer, so that an outage shows what was known."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.known = Watched(name)
        self.away: Away | None = None
        self._settings = settings
        self._redis = Redis.from_url(
            settings.redis, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
        )

    def look(self, now_ms: int) -> None:
        """Ask Redis once. An outage is told by `away`, not raised."""
        try:
            self.known = self._ask(self.known.name)
            self.away = None
        except (RedisError, OSError) as wrong:
            since = self.away.since if self.away else now_ms
            self.away = Away(since, str(wrong), without_password(self._settings.redis))

    def _ask(self, name: str) -> Watched:
        found = self._redis.hget(keys.entity(keys.ORDERS, name), keys.ANSWER.decode())
        if not isinstance(found, bytes):
            return Watched(name, position=self._position(name))
        status = msgspec.json.decode(found, type=OrderStatus)
        position = self._position(status.vehicle_id) if status.vehicle_id else None
        return Watched(name, status, position, tuple(self._alerts(f"order:{name}")))

    def _alerts(self, subject: str) -> Iterator[Alert]:
        """Those that are not over."""
        for rule in (Rule.LEAD_TIME, Rule.FRESHNESS):
            key = keys.entity(keys.ALERTS, alert_id(rule, subject))
            found = self._redis.hget(key, keys.ANSWER.decode())
            if isinstance(found, bytes):
                alert = msgspec.json.decode(found, type=Alert)
                if alert.state not in (State.INACTIVE, State.RESOLVED):
                    yield alert

    def _position(self, vehicle_id: str) -> Position | None:
        partition = partition_of(vehicle_id, self._settings.partitions)
        packed = self._redis.hget(keys.positions(partition), vehicle_id)
        return keys.unpack_position(packed) if isinstance(packed, bytes) else None

    def close(self) -> None:
        self._redis.close()


def run_watch(settings: Settings, name: str, console: Console) -> int:
    """Until Ctrl-C. The exit code is 0."""
    watch = Watch(settings, name)
    try:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            while True:
                now_ms = wall_ms()
                watch.look(now_ms)
                live.update(render(watch.known, watch.away, now_ms), refresh=True)
                time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return 0
    finally:
        watch.close()


def render(known: Watched, away: Away | None, now_ms: int) -> RenderableType:
    parts: list[RenderableType] = []
    if away:
        parts.append(_outage(away, now_ms))
    if known.status:
        parts.append(_order(known.status, known, now_ms))
    elif known.position:
        parts.append(_vehicle(known.name, known.position, now_ms))
    elif not away:
        parts.append(_unknown(known.name))
    return Group(*parts)


def _outage(away: Away, now_ms: int) -> RenderableType:
    return Text(
        f"Redis at {away.url} has not answered for {lasted(now_ms - away.since)} ({away.why}).\n"
        "What stands below is what was known before. Waiting for it to return.",
        style="bold yellow",
    )


def _unknown(name: str) -> RenderableType:
    return Text(
        f"Nothing is known of an order or a vehicle {name!r}.\n"
        "Is it spelled right, is a worker running (`milepost doctor`), and are its partitions "
        "as many as ours (MILEPOST_PARTITIONS)?\nLooking again each second; Ctrl-C ends.",
        style="yellow",
    )


def _order(status: OrderStatus, known: Watched, now_ms: int) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    stage = Text(both(STAGES[status.stage]), "bold")
    facts.add_row("stage", stage.append(f" since {_when(status.stage_at, now_ms)}", "default"))
    if status.received_at is not None:
        facts.add_row("received", _when(status.received_at, now_ms))
    facts.add_row("vehicle", status.vehicle_id or "none yet")
    facts.add_row("last position", _seen(status, known.position, now_ms))
    facts.add_row("age", _age(status))
    if status.eta is not None:
        facts.add_row("expected", _when(status.eta, now_ms))
    if status.errors:
        facts.add_row("errors", Text(f"{status.errors}, the last: {status.last_error}", "red"))
    alerts = [_alert(alert, now_ms) for alert in known.alerts]
    body = Group(facts, *alerts, "", _timeline(status.milestones, now_ms))
    return Panel(body, title=Text(f"order {status.order_id}"), title_align="left")


def _when(ms: int, now_ms: int) -> str:
    return f"{clock(ms)} ({ago(ms, now_ms)})"


def _seen(status: OrderStatus, position: Position | None, now_ms: int) -> RenderableType:
    """The newer of the vehicle's position and what the status says; its age ticks."""
    seen = status.seen
    if position and (seen is None or position.ts >= seen.ts):
        return _position(position, now_ms)
    if seen is None:
        return Text("none yet")
    return _aged(f"{place(seen.lat, seen.lon)}, {ago(seen.ts, now_ms)}", seen.ts, now_ms)


def _position(position: Position, now_ms: int) -> RenderableType:
    text = f"{place(position.lat, position.lon)}, {ago(position.ts, now_ms)}, {position.motion}"
    if position.motion is Motion.MOVING and position.speed_mps is not None:
        text += f" at {position.speed_mps * 3.6:.0f} km/h"
        text += "" if position.heading_deg is None else f", heading {position.heading_deg:.0f}°"
    return _aged(text, position.ts, now_ms)


def _aged(text: str, ts: int, now_ms: int) -> Text:
    return Text(text, "bold red" if now_ms - ts > STALE_MS else "")


def _age(status: OrderStatus) -> RenderableType:
    calm = status.age in (Age.FRESH, Age.ENDED, Age.NOT_DUE)
    return Text(both(AGES[status.age]), "" if calm else "bold red")


def _alert(alert: Alert, now_ms: int) -> RenderableType:
    lasts = lasted(now_ms - alert.since)
    said = sentence(alert, Language.EN)
    return Text(f"{alert.state} for {lasts}: {said}", STATES[alert.state])


def _timeline(milestones: tuple[Milestone, ...], now_ms: int) -> RenderableType:
    """Milestones by time; one that a later one replaced is struck out."""
    if not milestones:
        return Text("no milestones yet", "dim")
    replaced = {m.supersedes for m in milestones if m.supersedes is not None}
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("#", "when", "", "里程碑", "milestone", "by", "evidence"):
        table.add_column(column)
    for m in sorted(milestones, key=lambda m: (m.occurred_at, m.sequence)):
        chinese, english = CODES[m.code]
        table.add_row(
            str(m.sequence),
            clock(m.occurred_at),
            ago(m.occurred_at, now_ms),
            chinese,
            english,
            m.source,
            m.evidence,
            style="strike dim" if m.sequence in replaced else "",
        )
    return table


def _vehicle(vehicle_id: str, position: Position, now_ms: int) -> RenderableType:
    return Panel(
        _position(position, now_ms), title=Text(f"vehicle {vehicle_id}"), title_align="left"
    )
