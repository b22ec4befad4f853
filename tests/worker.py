"""`milepost worker` and other commands as real processes, and what the worker says of itself."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from commands.processes import PROGRAM, WorkerProcess, environment
from stream.config import Settings

STOP_S = 60.0
"""For a clean end: what the worker allows itself for saving and leaving the group, twice."""

Labels = frozenset[tuple[str, str]]


class Worker(WorkerProcess):
    """A worker whose pages, log and exit code are looked at."""

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of /metrics, /healthz or /readyz."""
        try:
            with urllib.request.urlopen(self.url(path), timeout=10) as said:
                return int(said.status), said.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def scrape(self) -> Metrics:
        return Metrics(self.get("/metrics")[1])

    def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None, "it has not been started"
        self._process.terminate()
        return self._process.wait(STOP_S)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Metrics:
    """One scrape; names are without `milepost_`."""

    def __init__(self, exposition: str) -> None:
        self.exposition = exposition
        self._values: dict[str, dict[Labels, float]] = {}
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                name = sample.name.removeprefix("milepost_")
                labels = frozenset(sample.labels.items())
                self._values.setdefault(name, {})[labels] = sample.value

    def samples(self, name: str, **labels: str) -> dict[Labels, float]:
        """The samples of a name that have these labels, and maybe more."""
        asked = labels.items()
        return {k: v for k, v in self._values.get(name, {}).items() if asked <= k}

    def total(self, name: str, **labels: str) -> float:
        """Their sum; 0 if there are none."""
        return sum(self.samples(name, **labels).values())

    def by(self, label: str, name: str, **labels: str) -> dict[str, int]:
        """Their values by one label, those of 0 left out."""
        return {
            dict(k)[label]: int(value) for k, value in self.samples(name, **labels).items() if value
        }


def milepost(*arguments: str, settings: Settings | None = None) -> tuple[int, str, str]:
    """Run a command to its end: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(settings or Settings()),
    )
    return done.returncode, done.stdout, done.stderr
