"""The pages as people use them: a real browser, a real push server, a real Redis."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from alerts.labels import Language
from alerts.model import State
from geo.model import Fence, Motion, Stop, StopRole
from geo.shapes import Area, Line
from orders.labels import CODES, STAGES
from orders.model import Age, Code, LastSeen, Stage
from tests.web.conftest import Pages
from tests.web.told import MIN_MS, Told, alert, milestone, now, says, status


def row(page: Page, name: str) -> Locator:
    return page.locator(f'.row[data-id="{name}"]:visible')


def pill(page: Page) -> Locator:
    return page.locator(".pill")


def test_an_order_is_found_shown_and_followed(pages: Pages, told: Told) -> None:
    told.orders(*(status(f"SH-{n:03}", vehicle_id=f"truck-{n}") for n in range(300)))
    told.positions(*(f"truck-{n}" for n in range(300)))
    page = pages.open(pages.link())
    expect(page.get_by_role("tab", name="Orders")).to_have_attribute("data-count", "300")
    page.keyboard.press("/")
    page.keyboard.type("sh-207")
    row(page, "SH-207").click()
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_have_text("SH-207")
    expect(detail.locator(".timeline")).to_contain_text(CODES[Code.OUTBOUND].en)
    expect(detail.locator(".timeline s")).to_have_text(CODES[Code.ARRIVED_PICKUP].en)
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()


def test_a_followed_vehicle_stays_in_the_middle(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    told.positions("truck-1")
    page = pages.open(pages.link())
    row(page, "o1").click()
    glider = page.locator(".glider")
    expect(glider).to_have_attribute("data-motion", "moving")
    page.keyboard.press("f")
    expect(page.locator(".follow")).to_have_attribute("aria-pressed", "true")
    told.positions("truck-1", lat=31.22)
    expect(glider).to_be_in_viewport()
    told.positions("truck-1", lat=31.22, motion=Motion.STANDING)
    expect(glider).to_have_attribute("data-motion", "standing")
    expect(page.locator("#detail")).to_contain_text("Standing")


def test_fences_that_are_no_circles_are_drawn_without_complaint(pages: Pages, told: Told) -> None:
    area = Area((((31.20, 121.40), (31.21, 121.40), (31.21, 121.42)),))
    line = Line((((31.20, 121.40), (31.23, 121.47)),))
    yard = Stop("yard", StopRole.PICKUP, Fence(31.2, 121.4, 0.0, 100.0, area))
    road = Stop("road", StopRole.HUB, Fence(31.21, 121.43, 200.0, 300.0, line))
    told.orders(status("o1", stops=(yard, road)))
    told.positions("truck-1")
    page = pages.open(pages.link())
    row(page, "o1").click()
    expect(page.locator(".glider")).to_be_in_viewport()
    expect(page.locator("#detail .stops")).to_contain_text("road")


def test_stepping_to_another_order_shows_its_own_vehicle(pages: Pages, told: Told) -> None:
    told.orders(status("o1", vehicle_id="near"), status("o2", vehicle_id="far", stops=()))
    told.positions("far", lat=29.9)
    told.positions("near", lat=31.2)
    page = pages.open(pages.link())
    row(page, "o1").click()
    expect(page.locator(".glider")).to_be_in_viewport()
    page.keyboard.press("j")
    expect(page.locator("#detail h2")).to_have_text("o2")
    expect(page.locator("#detail")).to_contain_text("far")
    # The map has gone to where `far` is; an arrow left behind would be out of sight.
    expect(page.locator(".glider")).to_be_in_viewport()


def test_the_selected_order_survives_a_reload(pages: Pages, told: Told) -> None:
    told.orders(status("订单 1&2"), status("other"))
    page = pages.open(pages.link())
    row(page, "订单 1&2").click()
    page.reload()
    expect(page.locator("#detail h2")).to_have_text("订单 1&2")
    expect(page.locator("#detail .timeline")).to_be_visible()


def test_an_alert_comes_clears_and_leads_to_its_order(pages: Pages, told: Told) -> None:
    told.orders(status("o1"), status("o2"))
    page = pages.open(pages.link())
    alerts = page.locator("#alerts")
    expect(alerts).to_contain_text("All is well")
    firing, cleared = alert("o2"), alert("o2", State.RESOLVED)
    told.alerts(firing)
    told.orders(status("o2", age=Age.DEVICE_SILENT))
    expect(page.locator(".filter[data-filter=action] b")).to_have_text("1")
    expect(page.locator(".row").first).to_have_attribute("data-id", "o2")
    alerts.get_by_text(says(firing, Language.EN)).click()
    expect(page.locator("#detail h2")).to_have_text("o2")
    told.alerts(cleared)
    told.orders(status("o2"))
    expect(alerts.locator("[data-group=cleared]")).to_contain_text(says(cleared, Language.EN))
    expect(alerts.locator("[data-group=firing]")).to_have_count(0)
    expect(page.locator(".filter[data-filter=action] b")).to_have_text("0")


def test_an_order_that_ends_is_told_and_leaves_the_open_ones(pages: Pages, told: Told) -> None:
    told.orders(status("o1"), status("o2"))
    page = pages.open(pages.link())
    expect(row(page, "o1")).to_be_visible()
    told.orders(status("o1", Stage.SIGNED, age=Age.ENDED))
    expect(row(page, "o1")).to_have_count(0)
    page.locator(".filter[data-filter=ended]").click()
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.SIGNED].en)


def test_a_lost_connection_is_shown_and_made_good(pages: Pages, told: Told) -> None:
    told.orders(status("o1", Stage.OUTBOUND))
    page = pages.open(pages.link())
    expect(pill(page)).to_have_attribute("data-level", "live")
    pages.kill()
    expect(pill(page)).to_have_attribute("data-level", "old")
    expect(page.locator(".banner")).to_contain_text("when the connection was lost")
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.OUTBOUND].en)
    told.orders(status("o1", Stage.IN_TRANSIT), status("o2"))
    pages.push.restart()
    expect(pill(page)).to_have_attribute("data-level", "live")
    expect(page.locator(".banner")).to_be_hidden()
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.IN_TRANSIT].en)
    expect(row(page, "o2")).to_be_visible()


def test_the_language_is_the_browsers_until_one_is_chosen(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    firing = alert("o1")
    told.alerts(firing)
    page = pages.open(pages.link(), locale="zh-CN")
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.IN_TRANSIT].zh)
    expect(page.locator("#alerts")).to_contain_text(says(firing, Language.ZH))
    page.get_by_text("English").click()
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.IN_TRANSIT].en)
    expect(page.locator("#alerts")).to_contain_text(says(firing, Language.EN))
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(row(page, "o1")).to_contain_text(STAGES[Stage.IN_TRANSIT].en)


def test_the_list_of_vehicles_says_what_the_map_shows(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    told.alerts(alert("o1"))
    told.positions("truck-1", "truck-2")
    told.positions("truck-3", motion=Motion.SILENT)
    page = pages.open(pages.link())
    page.get_by_role("tab", name="Vehicles").click()
    expect(row(page, "truck-1")).to_contain_text("With an alert")
    expect(row(page, "truck-2")).to_contain_text("43 km/h")
    expect(row(page, "truck-3")).to_contain_text("No signal")
    expect(page.locator(".legend")).to_have_text(
        re.compile("Moving1Standing0No signal1With an alert1")
    )


def test_on_a_phone_the_dispatcher_sees_one_pane_at_a_time(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    page = pages.phone(pages.link())
    expect(row(page, "o1")).to_have_count(0)
    page.locator(".panes").get_by_text("Orders").click()
    row(page, "o1").click()
    expect(page.locator("#detail h2")).to_have_text("o1")
    page.locator("#detail").get_by_label("Close").click()
    expect(page.locator(".legend")).to_be_visible()


def test_without_webgl_the_lists_work_and_the_page_says_why(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    page = pages.open("about:blank")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null;")
    page.goto(pages.link())
    expect(page.locator(".no-map")).to_contain_text("WebGL 2")
    row(page, "o1").click()
    expect(page.locator("#detail .timeline")).to_be_visible()


STAGES_OF_A_LIFE = [stage for stage in Stage if stage not in (Stage.CANCELLED, Stage.RETURNED)]


def test_the_customer_sees_each_stage_as_it_comes(pages: Pages, told: Told) -> None:
    page = pages.phone(pages.link("o1"))
    headline = page.locator(".headline")
    expect(headline).to_contain_text("not heard of this order yet")
    for number, stage in enumerate(STAGES_OF_A_LIFE):
        told.orders(status("o1", stage))
        expect(headline.locator("h1")).to_have_text(STAGES[stage].en)
        done = len(STAGES_OF_A_LIFE) if stage is Stage.SIGNED else number
        expect(headline.locator(".steps .done")).to_have_count(done)
    expect(page.locator(".map-card")).to_be_hidden()


@pytest.mark.parametrize("stage", [Stage.CANCELLED, Stage.RETURNED])
def test_the_customer_is_told_of_an_early_end(pages: Pages, told: Told, stage: Stage) -> None:
    told.orders(status("o1", stage, age=Age.ENDED))
    page = pages.phone(pages.link("o1"), locale="zh-CN")
    expect(page.locator(".headline h1")).to_have_text(STAGES[stage].zh)
    expect(page.locator(".steps.early .now")).to_have_text(STAGES[stage].zh)


def test_the_customer_sees_the_vehicle_move(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    told.positions("truck-1")
    page = pages.phone(pages.link("o1"))
    glider = page.locator(".glider")
    expect(glider).to_have_attribute("data-look", "moving")
    before = glider.get_attribute("style")
    told.positions("truck-1", lat=31.215)
    expect(glider).not_to_have_attribute("style", before or "")
    expect(page.locator(".position")).to_have_attribute("data-believable", "true")


def test_the_customer_is_told_how_old_a_position_is_and_why(pages: Pages, told: Told) -> None:
    seen = LastSeen(now() - 21 * MIN_MS, 31.21, 121.42)
    told.orders(status("o1", seen=seen, age=Age.PARKED))
    page = pages.phone(pages.link("o1"), locale="zh-CN")
    expect(page.locator(".position")).to_have_text("位置更新于 21 分钟前")
    expect(page.locator(".position")).to_have_attribute("data-believable", "false")
    expect(page.locator(".reason")).to_contain_text("位置不是最新的：车辆正停靠在站点")
    expect(page.locator(".glider")).to_have_attribute("data-look", "silent")


def test_a_customer_who_is_offline_is_not_shown_old_as_live(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    told.positions("truck-1")
    page = pages.phone(pages.link("o1"))
    expect(page.locator(".position")).to_have_attribute("data-believable", "true")
    pages.kill()
    expect(page.locator(".position")).to_have_attribute("data-believable", "false")
    expect(page.locator(".banner")).to_be_visible()
    pages.push.restart()
    expect(pill(page)).to_have_attribute("data-level", "live")


def test_a_corrected_milestone_is_struck_out_for_the_customer(pages: Pages, told: Told) -> None:
    told.orders(status("o1", milestones=(
        milestone(1, Code.ARRIVED_DELIVERY, 20),
        milestone(2, Code.ARRIVED_DELIVERY, 10, supersedes=1),
    )))  # fmt: skip
    page = pages.open(pages.link("o1"))
    expect(page.locator(".timeline li")).to_have_count(2)
    expect(page.locator(".timeline s")).to_have_count(1)


def test_a_customer_of_several_orders_chooses(pages: Pages, told: Told) -> None:
    told.orders(status("o1"), status("o2", Stage.ASSIGNED))
    page = pages.open(pages.link("o1", "o2"))
    expect(page.locator(".headline h1")).to_have_text(STAGES[Stage.IN_TRANSIT].en)
    page.locator(".chooser").get_by_text("o2").click()
    expect(page.locator(".headline h1")).to_have_text(STAGES[Stage.ASSIGNED].en)
    page.reload()
    expect(page.locator(".headline h1")).to_have_text(STAGES[Stage.ASSIGNED].en)


@pytest.mark.parametrize("page_name", ["/", "/order.html"])
@pytest.mark.parametrize(
    ("token", "title"),
    [
        pytest.param("", "This link is not complete", id="missing"),
        pytest.param("#not.a.token", "This link is wrong or has expired", id="forged"),
    ],
)
def test_a_bad_link_says_what_to_do(
    pages: Pages, told: Told, page_name: str, token: str, title: str
) -> None:
    page = pages.open(pages.push.url(page_name) + token)
    expect(page.locator(".halt h1")).to_have_text(title)


def test_a_link_that_runs_out_says_so(pages: Pages, told: Told) -> None:
    told.orders(status("o1"))
    page = pages.open(pages.link("o1", hours=0.001))
    expect(page.locator(".halt")).to_contain_text("Ask your sender for a new one")


def test_a_customer_is_not_shown_the_fleet(pages: Pages, told: Told) -> None:
    told.orders(status("o1"), status("o2"))
    customers = pages.link("o1").replace("/order.html", "/")
    page = pages.open(customers)
    expect(page.locator(".halt h1")).to_have_text("This link is not for this page")
    expect(page.locator(".row")).to_have_count(0)


def test_a_page_that_cannot_know_does_not_say_that_all_is_well(pages: Pages, told: Told) -> None:
    page = pages.open(pages.push.url("/"))
    expect(page.locator("#alerts")).to_contain_text("no data yet")
    expect(page.locator("#finder .empty")).to_have_text("no data yet")
    expect(pill(page)).to_be_hidden()
