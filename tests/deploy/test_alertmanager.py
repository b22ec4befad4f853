"""Who is told of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.programs import alert_rules, load, run
from tests.deploy.stack import ALERTMANAGER, Alertmanager, Hooks, with_urls, written
from tests.waiting import until

NO_URL = "http://127.0.0.1:1/"
MAY_GROUP_BY = {"alertname", "department", "role", "severity", "stage"}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """As amtool 0.25 can read it."""
    return written(tmp_path, with_urls(load(ALERTMANAGER), NO_URL))


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[Alertmanager]:
    with Hooks().serving() as hooks, Alertmanager(hooks.url) as running:
        yield running


def test_amtool_takes_it(config: Path) -> None:
    code, said = run("amtool", "check-config", config)
    assert code == 0, said


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("watchdog", ["alertname=Watchdog", "severity=none", "department=platform"]),
        ("platform-page", ["severity=page", "department=platform", "role=orders"]),
        ("transport-page", ["severity=page", "department=transport"]),
        ("platform-page", ["severity=page", "department=warehouse"]),
        ("platform-page", ["severity=page"]),
        ("quality-review", ["severity=review", "department=quality", "stage=outbound"]),
        ("tickets", ["severity=ticket", "department=transport"]),
        ("tickets", ["alertname=SomethingNew"]),
    ],
)
def test_severity_and_department_decide(config: Path, receiver: str, labels: list[str]) -> None:
    code, said = run(
        *("amtool", "config", "routes", "test", f"--config.file={config}"),
        *(f"--verify.receivers={receiver}", *labels),
    )
    assert code == 0, said


@pytest.mark.parametrize("name", sorted(alert_rules()))
def test_every_alert_finds_the_receiver_of_its_severity(config: Path, name: str) -> None:
    labels = alert_rules()[name]["labels"]
    given = [f"alertname={name}", *(f"{k}={v}" for k, v in labels.items())]
    _, said = run("amtool", "config", "routes", "test", f"--config.file={config}", *given)
    ends = {"page": "-page", "ticket": "tickets", "review": "-review", "none": "watchdog"}
    assert said.strip().endswith(ends[labels["severity"]])


def test_addresses_come_from_files_and_nothing_is_grouped_by_order() -> None:
    config = load(ALERTMANAGER)
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            assert set(hook) <= {"url_file", "max_alerts", "send_resolved"}
            assert hook["url_file"].startswith("/run/secrets/")
    for route in (config["route"], *config["route"]["routes"]):
        assert set(route.get("group_by", ())) <= MAY_GROUP_BY


def test_inhibition_names_alerts_that_exist() -> None:
    for rule in load(ALERTMANAGER)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, names = re.split(r" (=~|=) ", matcher)
            assert label == "alertname"
            assert set(names.strip('"').split("|")) <= set(alert_rules())


def labelled(name: str, **more: Any) -> dict[str, str]:
    return {"alertname": name, **alert_rules()[name]["labels"], **more}


def test_the_cause_speaks_and_what_follows_from_it_does_not(alertmanager: Alertmanager) -> None:
    alertmanager.take(
        labelled("EngineStalled", role="orders", instance="o1"),
        labelled("PartitionsUnowned", role="orders"),
        labelled("ConsumerLagGrowing", role="vehicles"),
        labelled("FreshnessBudgetBurnFast"),
        labelled("RedisDown", instance="o1"),
        labelled("FeedNotLive", instance="p1"),
        labelled("CodeFailed", role="orders"),
    )
    until(lambda: len(alertmanager.inhibited()) == 7)
    quiet = {name for name, is_quiet in alertmanager.inhibited().items() if is_quiet}
    assert quiet == {"PartitionsUnowned", "FreshnessBudgetBurnFast", "FeedNotLive"}
