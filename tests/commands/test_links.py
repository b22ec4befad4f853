from __future__ import annotations

from commands.board import Board
from commands.links import Links, worth_following
from orders.model import Age, LastSeen, OrderStatus, Stage
from stream.config import Settings
from ws_server.auth import Tokens
from ws_server.hub import Grant
from ws_server.protocol import Role

SECRET = "s" * 32
SETTINGS = Settings(push="127.0.0.1:1", token_secret=SECRET)


def order(name: str, stage_at: int, age: Age = Age.FRESH, *, seen: bool = True) -> OrderStatus:
    at = LastSeen(1, 31.0, 121.0) if seen else None
    return OrderStatus(name, stage_at, Stage.IN_TRANSIT, stage_at, 0, 0, age, "v1", at, ())


def granted(link: str) -> tuple[str, Grant]:
    """The page of a link, and what its token allows."""
    page, _, token = link.partition("#")
    grant = Tokens(SECRET).read(token)
    assert isinstance(grant, Grant)
    return page, grant


def test_the_dispatchers_link_is_there_at_once_and_sees_all() -> None:
    page, grant = granted(Links(SETTINGS).dispatcher)
    assert (page, grant.role) == ("http://127.0.0.1:1/", Role.DISPATCHER)


def test_the_customers_link_is_for_the_order_that_left_last() -> None:
    board, links = Board(), Links(SETTINGS)
    assert not links.look(board)
    for status in (order("o1", 1), order("o2", 3), order("o3", 2)):
        board.note_status(status)
    assert links.look(board)
    page, grant = granted(links.customer)
    assert (page, grant.role) == ("http://127.0.0.1:1/order.html", Role.CUSTOMER)
    assert grant.orders == ("o2",)


def test_it_is_chosen_once() -> None:
    board, links = Board(), Links(SETTINGS)
    board.note_status(order("o1", 1))
    links.look(board)
    chosen = links.customer
    board.note_status(order("o2", 2))
    assert (links.look(board), links.customer) == (False, chosen)
    assert links.lines() == [f"dispatcher  {links.dispatcher}", f"customer    {chosen}"]


def test_an_order_nobody_can_see_move_is_not_worth_following() -> None:
    board = Board()
    board.note_status(order("o1", 1, Age.DEVICE_SILENT))
    board.note_status(order("o2", 2, seen=False))
    assert worth_following(board) is None
