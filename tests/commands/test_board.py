from __future__ import annotations

import io

from rich.console import Console, RenderableType

from alerts.model import Alert, Rule, Severity, State
from commands import live, words
from commands.board import MILESTONES_KEPT, ORDERS_KEPT, Board, Rates, parse_metrics, total
from orders.model import Age, Code, Milestone, OrderStatus, Stage
from tests.builders import T0, at

METRICS = """\
# TYPE milepost_pings_total counter
milepost_pings_total{result="accepted"} 100.0
milepost_pings_total{result="duplicate"} 20.0
# TYPE milepost_facts_total counter
milepost_facts_total{role="orders",fact="orderstatus"} 7.0
milepost_facts_total{role="orders",fact="vehicleplan"} 90.0
# TYPE milepost_consumer_lag_records gauge
milepost_consumer_lag_records{topic="gps.pings",partition="0"} 3.0
"""


def status(
    order_id: str = "o1",
    rev: int = 1,
    *,
    stage: Stage = Stage.IN_TRANSIT,
    age: Age = Age.FRESH,
    received_s: float = 0,
    milestones: int = 1,
) -> OrderStatus:
    return OrderStatus(
        order_id=order_id,
        rev=rev,
        stage=stage,
        stage_at=at(60),
        received_at=at(received_s),
        reported_at=at(60),
        age=age,
        vehicle_id="v1",
        seen=None,
        milestones=tuple(
            Milestone(n, list(Code)[n - 1], at(n), at(60), "event")
            for n in range(1, milestones + 1)
        ),
    )


def alert(alert_id: str = "a1", rev: int = 1, state: State = State.FIRING) -> Alert:
    return Alert(
        alert_id=alert_id,
        rev=rev,
        rule=Rule.LEAD_TIME,
        subject="order:o1",
        state=state,
        severity=Severity.WARNING,
        episode=1,
        seq=1,
        since=T0,
        reported_at=T0,
        value=48,
        threshold=48,
    )


def shown(what: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200, height=50)
    console.print(what)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_metrics_are_summed_over_the_cells_that_match() -> None:
    sample = parse_metrics(METRICS)
    assert total(sample, "milepost_pings") == 120
    assert total(sample, "milepost_facts", fact="orderstatus") == 7


def test_rates_are_per_second_between_two_scrapes() -> None:
    board = Board()
    board.note_metrics(parse_metrics(METRICS), 10.0)
    board.note_metrics(parse_metrics(METRICS.replace(" 100.0", " 200.0")), 12.0)
    assert board.rates == Rates(pings=50.0)


def test_a_restarted_worker_has_no_negative_rate() -> None:
    board = Board()
    board.note_metrics(parse_metrics(METRICS), 10.0)
    board.note_metrics(parse_metrics(METRICS.replace(" 100.0", " 0.0")), 11.0)
    assert board.rates.pings == 0


def test_a_milestone_is_listed_once_and_only_when_it_is_new() -> None:
    board = Board()
    board.note_status(status(rev=1, milestones=2))
    board.note_status(status(rev=2, milestones=3))
    board.note_status(status(rev=2, milestones=3))
    assert [m.sequence for _, m in board.milestones] == [2, 3]


def test_an_older_rev_changes_nothing() -> None:
    board = Board()
    board.note_status(status(rev=5, age=Age.FRESH))
    board.note_status(status(rev=4, age=Age.PARKED))
    assert board.orders["o1"].age is Age.FRESH


def test_an_ended_order_leaves_the_board() -> None:
    board = Board()
    board.note_status(status(rev=1))
    board.note_status(status(rev=2, stage=Stage.SIGNED))
    assert not board.orders


def test_memory_is_bounded_by_forgetting_the_least_recently_changed() -> None:
    board = Board()
    for n in range(ORDERS_KEPT + 10):
        board.note_status(status(f"o{n}"))
    assert len(board.orders) == ORDERS_KEPT
    assert "o9" not in board.orders
    assert len(board.milestones) == MILESTONES_KEPT


def test_the_fresh_share_counts_orders_in_transit_only() -> None:
    board = Board()
    assert board.fresh_share() is None
    for n, age in enumerate((Age.FRESH, Age.FRESH, Age.FRESH, Age.DEVICE_SILENT)):
        board.note_status(status(f"o{n}", age=age))
    board.note_status(status("waiting", stage=Stage.RECEIVED, age=Age.NOT_DUE))
    assert board.fresh_share() == 0.75


def test_the_oldest_orders_are_those_received_first() -> None:
    board = Board()
    for n, received_s in enumerate((30, 10, 20)):
        board.note_status(status(f"o{n}", received_s=received_s))
    assert [s.order_id for s in board.oldest(2)] == ["o1", "o2"]


def test_alerts_stay_until_they_are_over_firing_ones_first() -> None:
    board = Board()
    board.note_alert(alert("a1", state=State.PENDING))
    board.note_alert(alert("a2"))
    board.note_alert(alert("a3"))
    board.note_alert(alert("a3", rev=2, state=State.RESOLVED))
    assert [a.alert_id for a in board.firing()] == ["a2", "a1"]


def test_the_screen_shows_rates_milestones_alerts_orders_and_what_is_away() -> None:
    board = Board()
    board.note_metrics(parse_metrics(METRICS), 1.0)
    board.note_status(status())
    board.note_alert(alert())
    board.trouble["Redis"] = "refused"
    text = shown(live.render(board, "Ctrl-C ends.", ["http://h/#t"], at(120), 200))
    for said in (
        "120 pings so far",
        "lag 3 records",
        "100.0% of the orders in transit are fresh",
        "接单 Order accepted",
        "Order o1 is not signed",
        "运输中 In transit",
        "Redis does not answer: refused",
        "Ctrl-C ends.",
        "http://h/#t",
    ):
        assert said in text


def test_the_plain_line_is_one_line() -> None:
    board = Board()
    board.note_status(status())
    line = live.plain(board)
    assert "\n" not in line
    assert "newest milestone: o1 接单 Order accepted" in line


def test_durations_are_said_in_their_two_greatest_units() -> None:
    lasts = [words.lasted(ms) for ms in (-5, 47_999, 185_000, 7_800_000, 273_600_000)]
    assert lasts == ["0 s", "47 s", "3 min 05 s", "2 h 10 min", "3 d 4 h"]


def test_a_time_to_come_is_said_as_such() -> None:
    assert (words.ago(at(5), at(0)), words.ago(at(0), at(5))) == ("in 5 s", "5 s ago")


def test_a_place_is_said_with_its_hemispheres() -> None:
    assert words.place(-1.5, 121.4737) == "1.50000 S, 121.47370 E"
