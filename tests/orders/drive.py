"""Drives one order: inputs one after another, each reaching Kafka when it is said to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from geo.model import Id, Ms, Rejected, Visit
from orders.model import Code, Milestone, OrderFact, OrderInput, Stage
from orders.order import step
from orders.state import Order, World

WORLD = World()

F = TypeVar("F", bound=OrderFact)


def run(
    *inputs: OrderInput, start: Order | None = None, now: Ms | None = None
) -> tuple[Order, list[OrderFact]]:
    """The order after these inputs, and the facts of the last.

    Each arrives when it happens, or all of them at `now`.
    """
    state, facts = start, list[OrderFact]()
    for given in inputs:
        state, told = step(state, given, when(given) if now is None else now, WORLD)
        facts = list(told)
    assert state is not None
    return state, facts


def when(given: OrderInput) -> Ms:
    """The earliest an input can have arrived."""
    return given.reported_at if isinstance(given, Visit) else given.ts


def only(facts: Sequence[OrderFact], kind: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, kind)]


def reasons(facts: Sequence[OrderFact]) -> list[str]:
    return [fact.reason for fact in only(facts, Rejected)]


def timeline(order: Order) -> list[tuple[Code, Ms]]:
    """The standing milestones a customer reads."""
    return [(m.code, m.occurred_at) for m in standing(order)]


def standing(order: Order) -> list[Milestone]:
    replaced = {m.supersedes for m in order.milestones}
    return [m for m in order.milestones if m.sequence not in replaced]


Answer = tuple[Stage, Ms, Ms, Ms | None, Id | None, int, str, list[tuple[str, str, str, str, str]]]


def answer(order: Order) -> Answer:
    """What must not depend on the order of arrival: everything shown but who was told when."""
    said = sorted(
        (str(m.code), str(m.occurred_at), m.vehicle_id or "", m.stop_id or "", m.evidence)
        for m in standing(order)
    )
    return (
        order.stage,
        order.stage_at,
        order.opened_at,
        order.received_at,
        order.vehicle_id,
        order.errors,
        order.last_error,
        said,
    )
