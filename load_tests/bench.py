"""The arithmetic and the words of a benchmark: contestants measured in turns, ratios, the report.

A benchmark runs its contestants one after another on the same backlog, then all of them again, so
that a slow minute of the machine hits everybody. The best pass of each counts. The ratios are
computed within one run and are what to look at; the absolute figures belong to one machine.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from commands.kafka import kafka_version

OURS = "milepost"


class Measured(Struct, frozen=True):
    """One pass of one contestant, from the first record to the last it did."""

    records: int
    seconds: float
    cpu_s: float
    """Of its process, all threads; not the broker's, not Redis's."""
    total: int
    """Records there were: more than `records` if it was stopped when its time was up."""

    @property
    def per_s(self) -> float:
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a record."""
        return self.cpu_s / self.records * 1e6


class Absent(Struct, frozen=True):
    """A contestant that could not be measured, and what to do about it."""

    why: str


Passes = Mapping[str, Sequence[Measured | Absent]]
"""By contestant, in the order in which they are shown."""


def best(passes: Iterable[Measured | Absent]) -> Measured | None:
    """The fastest pass; None if there is none."""
    return max(
        (one for one in passes if isinstance(one, Measured)), key=lambda m: m.per_s, default=None
    )


def ratios(passes: Passes, ours: str = OURS) -> dict[str, dict[str, float]]:
    """`ours` against each other contestant: records/s, and how much less CPU a record takes."""
    own = best(passes.get(ours, ()))
    if own is None:
        return {}
    found = {}
    for name, several in passes.items():
        other = best(several)
        if name != ours and other is not None:
            found[f"{ours} / {name}"] = {
                "rate": round(own.per_s / other.per_s, 3),
                "cpu": round(other.cpu_us / own.cpu_us, 3),
            }
    return found


def table(title: str, passes: Passes, ours: str = OURS) -> Table:
    """`ours/this` is by records/s, `by CPU` the same by CPU time a record."""
    shown = Table(title=title, box=SIMPLE, title_justify="left")
    shown.add_column("contestant", no_wrap=True)
    for heading in ("records/s", "CPU µs", f"{ours}/this", "by CPU"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("note", overflow="fold")
    against = ratios(passes, ours)
    for name, several in passes.items():
        fastest = best(several)
        if fastest is None:
            why = {one.why for one in several if isinstance(one, Absent)}
            shown.add_row(name, "-", "-", "", "", Text("; ".join(sorted(why))))
            continue
        ratio = against.get(f"{ours} / {name}")
        shown.add_row(
            name,
            f"{fastest.per_s:,.0f}",
            f"{fastest.cpu_us:,.1f}",
            f"{ratio['rate']:.2f}" if ratio else "",
            f"{ratio['cpu']:.2f}" if ratio else "",
            _note(fastest, several),
        )
    return shown


def _note(fastest: Measured, several: Sequence[Measured | Absent]) -> str:
    rates = sorted(one.per_s for one in several if isinstance(one, Measured))
    said = [f"slowest pass {rates[0]:,.0f}"] if len(rates) > 1 else []
    if fastest.records < fastest.total * 0.5:
        said.append(f"of {fastest.records:,} records")
    return "; ".join(said)


def report(passes: Passes, further: Mapping[str, Any] = {}, ours: str = OURS) -> dict[str, Any]:
    """What `--json` writes; `further` are results that are no contest."""
    results: dict[str, Any] = {}
    for name, several in passes.items():
        fastest = best(several)
        results[name] = {
            "records_per_s": round(fastest.per_s) if fastest else None,
            "cpu_us_per_record": round(fastest.cpu_us, 2) if fastest else None,
            "passes": [msgspec.to_builtins(one) for one in several],
        }
    return {
        "results": {**results, **further},
        "ratios": ratios(passes, ours),
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cpus": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "kafka": kafka_version(),
    }
