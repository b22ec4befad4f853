"""What one pass of a push server measured, and what a run of several says in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from load_tests.bench import OURS, Absent, machine


class Pushed(Struct, frozen=True):
    """One pass of one contestant. CPU and memory are those of its process."""

    updates: int
    """Written to Redis in `seconds`."""
    seconds: float
    frames: int
    frame_bytes: float
    cpu_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    lost: int
    """Customers who did not get the last answer about their order."""
    doubled: int
    stepped_back: int
    unfit: int
    """Frames that did not apply to what the customer held."""
    anew: int
    """Snapshots to begin again with: the server fell behind by more than Redis keeps."""
    idle_bytes: float
    """Of memory, for a customer who has the snapshot and hears nothing."""
    accepts_per_s: float
    accept_us: float
    load_share: float
    """What part of their core the crowd, the writing and Redis took."""

    @property
    def cpu_us(self) -> float:
        """CPU microseconds an update."""
        return self.cpu_s / self.updates * 1e6

    @property
    def core_share(self) -> float:
        return self.cpu_s / self.seconds


Passes = Mapping[str, Sequence[Pushed | Absent]]


def quantile(ordered: Sequence[float], part: float) -> float:
    """The value that so large a part does not exceed; not a number if there is none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


def best(passes: Sequence[Pushed | Absent]) -> Pushed | None:
    """The pass that took the least CPU an update; None if there is none."""
    pushed = (one for one in passes if isinstance(one, Pushed))
    return min(pushed, key=lambda one: one.cpu_us, default=None)


def ratios(passes: Passes) -> dict[str, dict[str, float]]:
    """Each other contestant against ours: above 1, ours needs less."""
    own = best(passes.get(OURS, ()))
    found = {}
    for name, several in passes.items():
        other = best(several)
        if own is not None and name != OURS and other is not None:
            found[f"{name} / {OURS}"] = {
                "cpu": round(other.cpu_us / own.cpu_us, 3),
                "p99": round(other.p99_ms / own.p99_ms, 3),
                "idle_bytes": round(other.idle_bytes / own.idle_bytes, 3),
                "accept_cpu": round(other.accept_us / own.accept_us, 3),
            }
    return found


COLUMNS: Mapping[str, Callable[[Pushed], str]] = {
    "CPU µs": lambda one: f"{one.cpu_us:.1f}",
    "core": lambda one: f"{one.core_share:.0%}",
    "p50 ms": lambda one: f"{one.p50_ms:.1f}",
    "p99": lambda one: f"{one.p99_ms:.1f}",
    "max": lambda one: f"{one.max_ms:.0f}",
    "lost": lambda one: f"{one.lost}",
    "twice": lambda one: f"{one.doubled + one.stepped_back}",
    "KiB": lambda one: f"{one.idle_bytes / 1024:.1f}",
    "in/s": lambda one: f"{one.accepts_per_s:,.0f}",
    "in µs": lambda one: f"{one.accept_us:.0f}",
}


def table(title: str, passes: Passes) -> Table:
    """`by CPU`: how much more CPU than ours this one takes for an update; `KiB`: for an idle
    customer; `in`: customers let in, a second, and the CPU for each."""
    shown = Table(title=title, box=SIMPLE, title_justify="left")
    shown.add_column("contestant", no_wrap=True)
    for heading in (*COLUMNS, "by CPU"):
        shown.add_column(heading, justify="right", no_wrap=True)
    against, missing = ratios(passes), list[str]()
    for name, several in passes.items():
        one = best(several)
        if one is None:
            why = {absent.why for absent in several if isinstance(absent, Absent)}
            missing.append(f"{name}: {'; '.join(sorted(why))}")
            continue
        ratio = against.get(f"{name} / {OURS}")
        cells = [cell(one) for cell in COLUMNS.values()]
        shown.add_row(name, *cells, f"{ratio['cpu']:.2f}" if ratio else "")
    shown.caption = Text("\n".join(missing))
    return shown


def report(passes: Passes) -> dict[str, Any]:
    """What `--json` writes."""
    results = {}
    for name, several in passes.items():
        one = best(several)
        results[name] = {
            "cpu_us_per_update": round(one.cpu_us, 2) if one else None,
            "core_share": round(one.core_share, 3) if one else None,
            "passes": [msgspec.to_builtins(one) for one in several],
        }
    return {"results": results, "ratios": ratios(passes), "machine": machine()}
