"""Prometheus and Alertmanager as real processes with the shipped files, made fast for tests.

What is changed in the files stands here and nowhere else: addresses, and how long things wait. A
receiver's `url_file` becomes a `url`, which Debian's Alertmanager 0.25 wants (0.26 brought files).
"""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from commands.process import LOOPBACK, Progress, Server
from tests.deploy.compose import SERVICES
from tests.deploy.programs import DEPLOY, RULES, load, program

PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"

Targets = Mapping[str, Sequence[str]]
"""Job to addresses."""


class Told(NamedTuple):
    """One alert in one notification."""

    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Hooks:
    """Receives every notification."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._settled = 0
        hooks = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hooks.told += [
                    Told(body["receiver"], alert["status"], alert["labels"], alert["annotations"])
                    for alert in body["alerts"]
                ]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """It is the tests' own."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Hook)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def heard(self, alertname: str, status: str) -> list[Told]:
        """What was told of it since all was `settled`."""
        told = self.told[self._settled :]
        return [t for t in told if (t.labels["alertname"], t.status) == (alertname, status)]

    def settled(self, *alertnames: str) -> bool:
        """Whether these and no others stand as firing; if so, forget how it came to that: before
        the first scrape everything is absent."""
        last = {frozenset(told.labels.items()): told for told in self.told}
        firing = {told.labels["alertname"] for told in last.values() if told.status == "firing"}
        if firing != set(alertnames):
            return False
        self._settled = len(self.told)
        return True

    @contextmanager
    def serving(self) -> Iterator[Hooks]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class HttpServer(Server):
    ready_path = "/-/ready"

    def _options(self, config: Path) -> list[str]:
        """Those of the compose file, its places changed to ours."""
        here = {
            "--config.file": str(config),
            "--storage.tsdb.path": f"{self.directory}/data",
            "--storage.path": f"{self.directory}/data",
        }
        given = [option.partition("=") for option in SERVICES[self.name]["command"]]
        options = [f"{name}={here.get(name, value)}" for name, _, value in given]
        return [*options, f"--web.listen-address={LOOPBACK}:{self.port}"]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}{path}", timeout=5) as said:
            return json.load(said)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://{LOOPBACK}:{self.port}{self.ready_path}", timeout=2
            ) as said:
                return bool(said.status == 200)
        except OSError:
            return False


class Alertmanager(HttpServer):
    name = "alertmanager"

    def __init__(self, hook: str) -> None:
        super().__init__()
        self._hook = hook

    def _command(self, progress: Progress) -> list[str]:
        config = self.directory / "alertmanager.yml"
        config.write_text(yaml.safe_dump(impatient(with_urls(load(ALERTMANAGER), self._hook))))
        return [program("prometheus-alertmanager"), *self._options(config)]

    def take(self, *alerts: Mapping[str, str]) -> None:
        """As Prometheus would send them."""
        body = json.dumps([{"labels": labels} for labels in alerts]).encode()
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}/api/v2/alerts",
            body,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as said:
            assert said.status == 200

    def inhibited(self) -> dict[str, bool]:
        """Alert to whether another one keeps it quiet."""
        return {
            alert["labels"]["alertname"]: bool(alert["status"]["inhibitedBy"])
            for alert in self.get("/api/v2/alerts")
        }


class Prometheus(HttpServer):
    name = "prometheus"

    def __init__(self, targets: Targets, alertmanager: Alertmanager) -> None:
        super().__init__()
        self._targets = targets
        self._alertmanager = alertmanager

    def _command(self, progress: Progress) -> list[str]:
        config = self.directory / "prometheus.yml"
        config.write_text(yaml.safe_dump(self._config()))
        for file in RULES:
            (self.directory / file.name).write_text(yaml.safe_dump(hasty(load(file))))
        resend = "--rules.alert.resend-delay=500ms"
        return [program("prometheus"), *self._options(config), resend]

    def _config(self) -> Any:
        config = load(PROMETHEUS)
        config["global"] = {
            "scrape_interval": "250ms",
            "scrape_timeout": "200ms",
            "evaluation_interval": "250ms",
        }
        config["rule_files"] = [str(self.directory / file.name) for file in RULES]
        manager = f"{LOOPBACK}:{self._alertmanager.port}"
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [manager]}]}]
        for job in config["scrape_configs"]:
            del job["dns_sd_configs"]
            targets = list(self._targets.get(job["job_name"], ()))
            job["static_configs"] = [{"targets": targets}]
        return config

    def ask(self, expression: str) -> list[Any]:
        """The samples of an instant query."""
        query = urllib.parse.urlencode({"query": expression})
        return list(self.get(f"/api/v1/query?{query}")["data"]["result"])

    def firing(self) -> set[str]:
        found = self.ask('ALERTS{alertstate="firing"}')
        return {sample["metric"]["alertname"] for sample in found}


def with_urls(config: Any, url: str) -> Any:
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            del hook["url_file"]
            hook["url"] = url
    return config


def impatient(config: Any) -> Any:
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "300ms"}
    return config


def hasty(rules: Any) -> Any:
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule |= {
                name: "1s" for name in ("for", "keep_firing_for") if rule.get(name, "0s") != "0s"
            }
    return rules


def written(directory: Path, config: Any) -> Path:
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config))
    return file
