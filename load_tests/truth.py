"""`python -m load_tests.truth [--json FILE] [--plot FILE]`: are the visits right?

A seeded simulator knows when its vehicles truly called where. Our engine and two naive ones get the
same pings in the order of their reception, and the same plans; what each finds is compared with
what was. The engine is the very core the worker runs, without a broker.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geo.model import Ms, Ping, Stop, VehicleFact, VehiclePlan, Visit
from geo.track import Track, World, next_wake, step, wake
from load_tests.bench import machine
from load_tests.ground import progress, write_json
from load_tests.journeys import Journey, journey
from load_tests.naive import point_in_circle, wall_clock_gate
from load_tests.scenarios import SCENARIOS, Scenario
from load_tests.scoring import Found, Score, score, total
from load_tests.truth_plot import plot

OURS = "milepost"
SEED = 1
END: Ms = 253_402_300_799_999
"""After everything: what is due by then is done."""


class Listener:
    """Holds what stands of all our core has said."""

    def __init__(self) -> None:
        self.visits: dict[str, Visit] = {}
        self.taken_back = 0

    def hear(self, facts: Sequence[VehicleFact]) -> None:
        for visit in facts:
            if not isinstance(visit, Visit):
                continue
            self._take_back(visit.supersedes)
            if visit.retracted:
                self._take_back(visit.visit_id)
            else:
                self.visits[visit.visit_id] = visit

    def _take_back(self, visit_id: str | None) -> None:
        if visit_id is not None and self.visits.pop(visit_id, None) is not None:
            self.taken_back += 1


def milepost(day: Journey) -> Listener:
    """Tell our core every plan first and then each ping as it arrives, and hear what it says."""
    state: Track | None = None
    world, listener = World(), Listener()
    for event, now in _events(day):
        state = _woken(state, now, world, listener)
        state, facts = step(state, event, now, world)
        listener.hear(facts)
    _woken(state, END, world, listener)
    return listener


def _woken(state: Track | None, now: Ms, world: World, listener: Listener) -> Track | None:
    due = None if state is None else next_wake(state)
    if state is None or due is None or due >= now:  # the worker takes all there is, then wakes
        return state
    state, facts = wake(state, now, world)
    listener.hear(facts)
    return state


def _events(day: Journey) -> Iterator[tuple[Ping | VehiclePlan, int]]:
    for plan in day.plans:
        yield plan, plan.ts
    for ping in day.pings:
        assert ping.received_at is not None
        yield ping, ping.received_at


NAIVE: dict[str, Callable[[Sequence[Stop], Sequence[Ping]], list[Found]]] = {
    "point in circle": point_in_circle,
    "wall-clock gate": wall_clock_gate,
}

Results = dict[str, dict[str, Score]]
"""By scenario, then by engine."""


def run(
    scenarios: Sequence[Scenario], seed: int, say: Callable[[str], None] = lambda said: None
) -> Results:
    results: Results = {}
    for place, scenario in enumerate(scenarios, start=1):
        days: list[dict[str, Score]] = []
        for n in range(scenario.vehicles):
            say(f"scenario {place} of {len(scenarios)}, {scenario.name}: vehicle {n + 1}")
            name = f"{seed}:{scenario.name}:v{n}"
            day = journey(name, scenario.tour, scenario.receiver, scenario.uplink)
            days.append(judged(day, scenario.receiver.every_s))
        engines = (OURS, *NAIVE)
        results[scenario.name] = {name: total(day[name] for day in days) for name in engines}
    return results


def judged(day: Journey, every_s: float) -> dict[str, Score]:
    """What each engine makes of the day."""
    heard = milepost(day)
    ours = [
        Found(v.stop_id, v.arrived_at, v.departed_at, v.inferred) for v in heard.visits.values()
    ]
    own = score(day.stays, day.passed, ours, every_s)
    stops = [stop for plan in day.plans for stop in plan.stops]
    return {OURS: replace(own, taken_back=heard.taken_back)} | {
        name: score(day.stays, day.passed, engine(stops, day.pings), every_s)
        for name, engine in NAIVE.items()
    }


def table(results: Results, scenarios: Sequence[Scenario]) -> Table:
    """One row per scenario: ours in full, of the naive ones precision and recall."""
    shown = Table(box=SIMPLE, title="Visits found against visits that were", title_justify="left")
    shown.add_column("scenario", no_wrap=True)
    for heading in (
        "calls",
        "precision",
        "recall",
        "error s",
        "p90 s",
        "flaps",
        "drive-bys",
        "taken back",
    ):
        shown.add_column(heading, justify="right", no_wrap=True)
    for name in NAIVE:
        shown.add_column(name, justify="right", no_wrap=True)
    for scenario in scenarios:
        scores = results[scenario.name]
        ours = scores[OURS]
        shown.add_row(
            scenario.name,
            f"{ours.true}",
            _against(ours.precision, scenario.bar),
            _against(ours.recall, scenario.bar),
            _seconds(ours.median_s, scenario),
            "-" if ours.p90_s is None else f"{ours.p90_s:.1f}",
            Text(str(ours.flaps), "red" if ours.flaps else ""),
            Text(str(ours.drive_bys), "red" if ours.drive_bys else ""),
            str(ours.taken_back),
            *(f"{_percent(s.precision)} / {_percent(s.recall)}" for s in list(scores.values())[1:]),
        )
    return shown


def _against(share: float, bar: float | None) -> Text:
    return Text(_percent(share), "red" if bar is not None and share < bar else "")


def _seconds(median_s: float | None, scenario: Scenario) -> Text:
    if median_s is None:
        return Text("-")
    over = scenario.bar is not None and median_s > scenario.receiver.every_s / 2
    return Text(f"{median_s:.1f}", "red" if over else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def report(results: Results, seed: int, took_s: float) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "results": {
            scenario: {name: _figures(one) for name, one in scores.items()}
            for scenario, scores in results.items()
        },
        "ratios": {},
        "seed": seed,
        "seconds": round(took_s, 1),
        "machine": machine(),
    }


def _figures(one: Score) -> dict[str, Any]:
    def rounded(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 2)

    return {
        "calls": one.true,
        "found": one.found,
        "precision": round(one.precision, 4),
        "recall": round(one.recall, 4),
        "error_median_s": rounded(one.median_s),
        "error_p90_s": rounded(one.p90_s),
        "stand_error_median_s": rounded(one.stand_median_s),
        "flaps": one.flaps,
        "drive_bys": one.drive_bys,
        "taken_back": one.taken_back,
    }


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m load_tests.truth", description=__doc__)
    options.add_argument("--seed", type=int, default=SEED, help="another seed, other journeys")
    options.add_argument("--only", help="scenarios whose name contains this")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    options.add_argument("--plot", type=Path, metavar="FILE", help="write a picture (SVG) here")
    asked = options.parse_args()
    scenarios = [s for s in SCENARIOS if not asked.only or asked.only in s.name]
    if not scenarios:
        names = ", ".join(s.name for s in SCENARIOS)
        sys.exit(f"--only {asked.only}: no scenario has that in its name; there are: {names}")
    began = time.monotonic()
    with progress() as say:
        results = run(scenarios, asked.seed, say)
    took_s = time.monotonic() - began
    console = Console(width=max(150, Console().width))
    console.print(table(results, scenarios))
    console.print(f"{took_s:.0f} s, seed {asked.seed}; red: below the bar")
    write_json(asked.json, report(results, asked.seed, took_s))
    if asked.plot:
        asked.plot.write_text(plot(results, scenarios))
        print(f"drawn in {asked.plot}", file=sys.stderr)


if __name__ == "__main__":
    main()
