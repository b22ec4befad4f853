"""The demo's two pages as addresses to open: the dispatcher's, and one customer's."""

from __future__ import annotations

from commands.board import Board
from commands.token import link, token
from orders.model import Age, OrderStatus, Stage
from stream.config import Settings
from ws_server.protocol import Role

GOOD_FOR_H = 12.0


class Links:
    """`customer` is empty until there is an order worth following."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.dispatcher = link(settings, token(settings, (), GOOD_FOR_H), Role.DISPATCHER)
        self.customer = ""

    def look(self, board: Board) -> bool:
        """Choose an order; True once, when one has been found."""
        if self.customer:
            return False
        order = worth_following(board)
        if order is None:
            return False
        made = token(self._settings, (order.order_id,), GOOD_FOR_H)
        self.customer = link(self._settings, made, Role.CUSTOMER)
        return True

    def lines(self) -> list[str]:
        lines = [f"dispatcher  {self.dispatcher}"]
        return [*lines, f"customer    {self.customer}"] if self.customer else lines


def worth_following(board: Board) -> OrderStatus | None:
    """Of the orders whose vehicle is on the road, the one that left last: the most is to come."""
    driving = [
        order
        for order in board.orders.values()
        if order.stage is Stage.IN_TRANSIT and order.age is Age.FRESH and order.seen is not None
    ]
    return max(driving, key=lambda order: order.stage_at, default=None)
