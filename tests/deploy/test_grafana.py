"""The dashboard: what it asks exists, and what it shows is explained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.dashboard import FILE, build, rows
from stream.metrics import CATALOGUE
from tests.deploy.expressions import entry_of, grouped, labels_of, selectors, wrong
from tests.deploy.programs import DEPLOY, alert_rules, load, record_rules, run

DOCUMENT = json.loads(FILE.read_text())
PANELS = [panel for panel in DOCUMENT["panels"] if panel["type"] != "row"]
UNITS = {"short", "s", "ops", "percentunit", "bytes", "Bps"}
PROVISIONING = DEPLOY / "grafana" / "provisioning"
EXPRESSIONS = {
    **{f"panel: {p['title']} {t['refId']}": t["expr"] for p in PANELS for t in p["targets"]},
    **{f"recorded: {rule['record']}": rule["expr"] for rule in record_rules()},
    **{f"alert: {name}": rule["expr"] for name, rule in alert_rules().items()},
}


def plain(expression: str) -> str:
    """As Grafana would send it."""
    return expression.replace("$__rate_interval", "5m")


def test_the_file_is_what_its_panels_make() -> None:
    assert FILE.read_text() == build(), "run python -m deploy.grafana.dashboard"


def test_grafanas_own_model_knows_every_key() -> None:
    again = JSONEncoder(sort_keys=True, indent=1).encode(Dashboard.from_json(DOCUMENT))
    assert json.loads(again) == DOCUMENT


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    assert panel["options"]["legend"]["showLegend"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert target["legendFormat"]
        asked = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        assert asked <= shown(target["expr"])


def shown(expression: str) -> set[str]:
    """The labels its answer has."""
    recorded = [s.metric for s in selectors(expression) if ":" in s.metric]
    return grouped(expression) | {label for metric in recorded for label in labels_of(metric)}


def test_titles_and_ids_are_unique_and_nothing_overlaps() -> None:
    panels = DOCUMENT["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("what", EXPRESSIONS)
def test_every_metric_and_label_of_an_expression_exists(what: str) -> None:
    assert wrong(EXPRESSIONS[what]) == []


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("milepost_pings", "milepost_pings is in no catalogue"),
        ("rate(milepost_pigns_total[5m])", "in no catalogue"),
        ("sum by (stage) (rate(milepost_pings_total[5m]))", "by (stage)"),
        ('rate(milepost_pings_total{reason="x"}[5m])', "has no label reason"),
        ("sum by (result) (milepost_pings_total)", "is a counter"),
        ("role:consumer_lag_minutes:max", "nobody records it"),
    ],
)
def test_a_wrong_name_is_found(expression: str, says: str) -> None:
    """The check checks."""
    assert any(says in problem for problem in wrong(expression))


def test_every_expression_parses(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:n{number}:x", "expr": plain(target["expr"])}
        for number, target in enumerate(t for p in PANELS for t in p["targets"])
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    code, said = run("promtool", "check", "rules", file)
    assert code == 0, said


def test_a_rate_is_over_what_grafana_says() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            for window in re.findall(r"\[([^\]]*)\]", target["expr"]):
                assert window == "$__rate_interval"


def test_every_metric_is_on_the_dashboard_or_in_a_rule() -> None:
    """What nobody looks at need not be exported."""
    named = {s.metric for e in EXPRESSIONS.values() for s in selectors(e)}
    entries = {id(entry_of(metric)) for metric in named if metric.startswith("milepost_")}
    unseen = {name for name, entry in CATALOGUE.items() if id(entry) not in entries}
    assert unseen == {"partitions"}, "partitions: of one worker; how many in all is recorded"


def test_provisioning_says_where_the_compose_file_puts_things() -> None:
    [source] = load(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    scrape = load(DEPLOY / "prometheus" / "prometheus.yml")["global"]["scrape_interval"]
    assert (source["type"], source["jsonData"]["timeInterval"]) == ("prometheus", scrape)
    [provider] = load(PROVISIONING / "dashboards" / "milepost.yml")["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    assert {row.title for row in rows()} >= {"Promises", "Workers", "Push"}
