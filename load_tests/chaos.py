"""Workers, broker and Redis are killed, paused and restarted under load; nothing may come out
wrong.

    python -m load_tests.chaos [--seeds 20] [--seed N] [--json FILE]

Each seed is a new installation (topics, two workers, a Redis) on one real Kafka, and a mix of
mishaps. After each mishap the load pauses, and every state, every committed output and every answer
in Redis is compared with a plain run of the cores over the same input (`reference`, `audit`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from commands.kafka import KafkaServer
from commands.process import CannotStart
from load_tests.audit import Audit, Findings
from load_tests.cluster import Cluster
from load_tests.mishaps import Mishap, plan
from load_tests.traffic import Load
from stream.clock import wall_ms

RATE = 1_200.0
"""Records a second: so that a pause of some seconds leaves a backlog, on a small machine too."""
MISHAPS = 5
SETTLE_S = 60.0
"""For the workers to agree on their partitions and to take in what waits."""
STOP_MS = 12_000
"""No alert may come of itself while the workers stop: nobody could say whether it should have."""
SHOWN = 3
"""Findings of a kind that are quoted."""

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What came of one seed. All `wrong_*` must be 0."""

    seed: int
    mishaps: int = 0
    events: int = 0
    redelivered: int = 0
    """Messages taken in more than once, as far as workers lived to tell."""
    left_behind: int = 0
    wrong_outputs: int = 0
    wrong_states: int = 0
    wrong_redis: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return self.left_behind + self.wrong_outputs + self.wrong_states + self.wrong_redis

    def add(self, found: Findings) -> None:
        self.left_behind += len(found.behind)
        self.wrong_outputs += len(found.outputs)
        self.wrong_states += len(found.states)
        self.wrong_redis += len(found.redis)
        for several in (found.behind, found.outputs, found.states, found.redis):
            self.findings += several[:SHOWN]


@dataclass
class Trial:
    """An installation under load and the audit that follows it."""

    cluster: Cluster
    audit: Audit
    load: Load
    rng: random.Random

    def suffer(self, mishap: Mishap) -> Findings:
        """Let it happen under load, mend it, and look until nothing is wrong or time is up."""
        with self.load:
            time.sleep(mishap.load_s)
            with mishap.happen(self.cluster, self.rng):
                time.sleep(mishap.hold_s)
            self.cluster.wait_for(self.cluster.owned, f"all is owned again after: {mishap}")
        return self.audit.settle(SETTLE_S)

    def redelivered(self) -> int:
        return max(0, self.cluster.taken() - self.audit.messages)


@contextmanager
def trial(kafka: KafkaServer, seed: int) -> Iterator[Trial]:
    """Two workers that own everything and have taken in what is known before the load."""
    with Cluster(kafka) as cluster:
        audit = Audit(cluster.settings)
        try:
            load = Load(cluster.settings, seed, RATE)
            for _ in range(2):
                cluster.add_worker()
            cluster.wait_for(cluster.owned, "two workers own everything")
            load.settle()
            found = audit.settle(SETTLE_S).all()
            if found:
                raise CannotStart(f"it was wrong before anything happened: {found[:SHOWN]}")
            yield Trial(cluster, audit, load, random.Random(seed))
        finally:
            audit.close()


def run(kafka: KafkaServer, seed: int, say: Say, mishaps: int = MISHAPS) -> Outcome:
    """One seed, to its clean end; stops at the first mishap after which something is wrong."""
    outcome = Outcome(seed)
    began = time.monotonic()
    with trial(kafka, seed) as under:
        for mishap in plan(under.rng, mishaps):
            at = time.monotonic()
            outcome.add(under.suffer(mishap))
            outcome.mishaps += len(mishap.kinds)
            took_s = time.monotonic() - at
            said = "as in the plain run" if not outcome.wrong else f"{outcome.wrong} wrong"
            say(f"seed {seed}: {mishap}: {took_s:.0f} s, {under.audit.events:,} events, {said}")
            if outcome.wrong:
                say(under.cluster.last_words())
                break
        outcome.events, outcome.redelivered = under.audit.events, under.redelivered()
        if not outcome.wrong:
            _end(under, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def _end(under: Trial, outcome: Outcome) -> None:
    """A clean stop: everything is committed, and still as it should be."""
    under.cluster.wait_for(
        lambda: not under.audit.look().all() and under.audit.quiet_ms() > STOP_MS,
        "no deadline is near",
    )
    stopped_at = wall_ms()
    under.cluster.stop(*under.cluster.workers)
    outcome.add(under.audit.look(stopped_at))
    outcome.add(Findings(behind=under.audit.uncommitted()))


def main() -> int:
    """The exit code: 1 if anything was wrong."""
    given = _arguments()
    console = Console()
    seeds = [given.seed] if given.seed is not None else list(range(1, given.seeds + 1))
    outcomes: list[Outcome] = []
    began = time.monotonic()
    with KafkaServer() as kafka:
        for seed in seeds:
            if given.minutes and time.monotonic() - began > given.minutes * 60:
                console.print(f"{given.minutes} minutes are over: {len(outcomes)} of {len(seeds)}")
                break
            outcomes.append(run(kafka, seed, console.print, given.mishaps))
            for finding in outcomes[-1].findings:
                console.print(finding, style="red", markup=False, soft_wrap=True)
    console.print(_table(outcomes))
    if given.json:
        given.json.write_text(json.dumps(_report(outcomes), indent=2) + "\n")
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m load_tests.chaos")
    parser.add_argument("--seeds", type=int, default=20, help="run seeds 1 to N")
    parser.add_argument("--seed", type=int, help="run this one only")
    parser.add_argument("--mishaps", type=int, default=MISHAPS, help="in each seed")
    parser.add_argument("--minutes", type=float, help="begin no seed after so long")
    parser.add_argument("--json", type=Path, help="write the results here, too")
    return parser.parse_args()


COLUMNS = (
    *("seed", "mishaps", "events", "redelivered", "left_behind"),
    *("wrong_states", "wrong_outputs", "wrong_redis", "seconds"),
)


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(*(column.replace("_", " ") for column in COLUMNS))
    for outcome in outcomes:
        row = asdict(outcome)
        table.add_row(*(f"{row[column]:,.0f}" for column in COLUMNS))
    if len(outcomes) > 1:
        sums = [sum(asdict(o)[column] for o in outcomes) for column in COLUMNS[1:]]
        table.add_section()
        table.add_row("all", *(f"{total:,.0f}" for total in sums))
    return table


def _report(outcomes: list[Outcome]) -> dict[str, object]:
    wrong = sum(outcome.wrong for outcome in outcomes)
    return {
        "results": {"seeds": [asdict(outcome) for outcome in outcomes], "wrong": wrong},
        "ratios": {},
        "machine": {"cpus": os.cpu_count(), "python": sys.version, "system": platform.platform()},
    }


if __name__ == "__main__":
    sys.exit(main())
