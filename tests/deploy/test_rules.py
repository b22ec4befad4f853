"""The rules fire when they should, stay quiet when they should, and say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.alerts import ALERTS
from agents.orders import ORDERS
from agents.vehicles import VEHICLES
from alerts.rates import too_many
from alerts.rules import RateRule
from tests.deploy.cases import CASES, Case, attempts
from tests.deploy.programs import DEPLOY, RULES, alert_rules, groups, record_rules, run
from ws_server.protocol import Close

SEVERITIES = {"page", "ticket", "review", "none"}
STEPS = ("15s", "1m", "1h")
DEPARTMENTS = {"platform", "transport", "quality"}


def promtool_test(directory: Path, *tests: Mapping[str, Any]) -> tuple[int, str]:
    """`promtool test rules`, the groups in their own order: without it the order is random."""
    file = directory / "cases.yml"
    whole = {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": min((test["interval"] for test in tests), key=STEPS.index),
        "group_eval_order": [group["name"] for group in groups()],
        "tests": tests,
    }
    file.write_text(yaml.safe_dump(whole, sort_keys=False))
    return run("promtool", "test", "rules", file)


def as_test(case: Case) -> dict[str, Any]:
    alert = {"eval_time": case.at, "alertname": case.alert, "exp_alerts": list(expected(case))}
    return {
        "interval": case.step,
        "name": case.why,
        "input_series": [{"series": k, "values": v} for k, v in case.series.items()],
        "alert_rule_test": [alert],
    }


def expected(case: Case) -> Any:
    if case.labels is not None:
        rule = alert_rules()[case.alert]
        yield {
            "exp_labels": {**rule["labels"], **case.labels},
            "exp_annotations": {k: filled(v, case) for k, v in rule["annotations"].items()},
        }


def filled(text: str, case: Case) -> str:
    """An annotation with what its template shows for this case."""
    labels = case.labels or {}
    shown = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], text)
    return re.sub(r"{{ \$value[^}]*}}", case.value, shown)


@pytest.mark.parametrize("name", sorted(alert_rules()))
def test_an_alert_fires_when_it_should_and_only_then(tmp_path: Path, name: str) -> None:
    code, said = promtool_test(tmp_path, *(as_test(case) for case in CASES if case.alert == name))
    assert code == 0, said


def test_a_case_that_is_wrong_is_found(tmp_path: Path) -> None:
    """The check checks: promtool must refuse each case turned round."""
    fires = next(case for case in CASES if case.alert == "RedisDown" and case.labels)
    assert promtool_test(tmp_path, as_test(fires._replace(labels=None)))[0] == 1
    assert promtool_test(tmp_path, as_test(fires._replace(labels={"instance": "other"})))[0] == 1


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    fire = {case.alert for case in CASES if case.labels is not None}
    quiet = {case.alert for case in CASES if case.labels is None}
    assert fire == set(alert_rules())
    assert quiet == set(alert_rules()) - {"Watchdog"}, "only the watchdog always fires"


def test_the_error_rate_is_judged_as_the_stream_judges_it(tmp_path: Path) -> None:
    """Over small and large samples, beside the line and far from it."""
    pairs = [(1, 3), (2, 3), (3, 5), (5, 6), (3, 20), (4, 20), (3, 30), (5, 30), (4, 40), (6, 40),
             (5, 50), (7, 50), (6, 70), (8, 70), (7, 80), (9, 80), (7, 99), (9, 99), (9, 100),
             (7, 100), (17, 200), (15, 200), (90, 1000), (70, 1000)]  # fmt: skip
    verdicts = {pair: too_many(*pair, RateRule()) for pair in pairs}
    assert set(verdicts.values()) == {True, False}
    cases = [
        Case("StageErrorRateHigh", f"{k} of {n}", "65m", attempts(k, n),
             {"stage": "outbound"} if bad else None, _percent(k / n), "1m")
        for (k, n), bad in verdicts.items()
    ]  # fmt: skip
    code, said = promtool_test(tmp_path, *map(as_test, cases))
    assert code == 0, said


def test_a_sources_usual_is_yesterdays_or_last_weeks_whichever_is_less(tmp_path: Path) -> None:
    """In steps of an hour, for a week in minutes takes one."""
    rate = 'source:pings_accepted:rate30m{source="north"}'
    cases = [
        Case("SourceRateHalved", "a Sunday like the last", "172h", {rate: "0.5x144 2x24 0.5x9"},
             None, step="1h"),
        Case("SourceRateHalved", "a Sunday unlike it", "172h", {rate: "2x168 0.5x9"},
             {"source": "north"}, "500m", "1h"),
    ]  # fmt: skip
    code, said = promtool_test(tmp_path, *map(as_test, cases))
    assert code == 0, said


def _percent(share: float) -> str:
    """As Prometheus's humanizePercentage has it."""
    return f"{share * 100:.4g}%"


def test_promtool_finds_nothing_to_say() -> None:
    code, said = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)
    assert code == 0, said
    config = DEPLOY / "prometheus" / "prometheus.yml"
    code, said = run("promtool", "check", "config", "--syntax-only", config)
    assert code == 0, said


@pytest.mark.parametrize("name", sorted(alert_rules()))
def test_an_alert_says_what_it_means_what_to_do_and_whose_it_is(name: str) -> None:
    rule = alert_rules()[name]
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    for text in rule["annotations"].values():
        assert len(text) > 10
    assert not rule["annotations"]["summary"].endswith(".")
    for sentences in ("description", "runbook"):
        assert rule["annotations"][sentences].endswith(".")
    assert rule["labels"]["severity"] in SEVERITIES
    assert rule["labels"]["department"] in DEPARTMENTS


def test_recorded_names_are_level_metric_operation() -> None:
    for rule in record_rules():
        assert re.fullmatch(r"[a-z]+:[a-z_]+:[a-z0-9_]+", rule["record"]), rule["record"]


def test_the_code_of_slow_clients_is_the_protocols() -> None:
    codes = re.findall(r'code="(\d+)"', alert_rules()["SlowClientsClosed"]["expr"])
    assert set(codes) == {str(Close.SLOW.value)}


def test_what_is_not_written_to_dead_letters_is_not_counted_as_rejected() -> None:
    roles = (VEHICLES, ORDERS, ALERTS)
    unkept = {str(r) for role in roles for source in role.inputs.values() for r in source.unkept}
    [rule] = [r for r in record_rules() if r["record"] == "role:rejected:increase10m"]
    [left_out] = re.findall(r'reason!~"([^"]+)"', rule["expr"])
    assert set(left_out.split("|")) == unkept
