"""The truth benchmark as a picture: precision and recall of each engine in each scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from load_tests.scenarios import Scenario
from load_tests.scoring import Score

LABEL_W, PLOT_W, ROW_H, TOP = 150, 560, 26, 74
COLOURS = ("#0b6e4f", "#d1495b", "#edae49")
FIRST = 0.5
"""Where the axis begins; what is below stands at its edge."""


def plot(results: Mapping[str, Mapping[str, Score]], scenarios: Sequence[Scenario]) -> str:
    """A filled mark is precision, an open one recall."""
    height = TOP + ROW_H * len(scenarios) + 14
    width = LABEL_W + PLOT_W + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(list(next(iter(results.values())))),
        *_axis(height),
    ]
    for row, scenario in enumerate(scenarios):
        parts += _row(TOP + ROW_H * row + ROW_H / 2, scenario, results[scenario.name])
    return "\n".join([*parts, "</svg>\n"])


def _legend(engines: Sequence[str]) -> list[str]:
    parts = []
    for n, (name, colour) in enumerate(zip(engines, COLOURS, strict=True)):
        x = LABEL_W + 150 * n
        parts.append(f'<circle cx="{x}" cy="18" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 10}" y="22">{escape(name)}</text>')
    said = "filled: precision, open: recall; the line is the bar"
    return [*parts, f'<text x="{LABEL_W - 5}" y="42" fill="#555">{said}</text>']


def _axis(height: int) -> list[str]:
    parts = []
    for percent in range(round(FIRST * 100), 101, 10):
        x = _x(percent / 100)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{height - 12}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{TOP - 12}" text-anchor="middle">{percent} %</text>')
    return parts


def _row(y: float, scenario: Scenario, scores: Mapping[str, Score]) -> list[str]:
    parts = [
        f'<text x="{LABEL_W - 12}" y="{y + 4}" text-anchor="end">{escape(scenario.name)}</text>'
    ]
    if scenario.bar is not None:
        x = _x(scenario.bar)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{y - 11}" y2="{y + 11}" stroke="#222"/>')
    for n, (one, colour) in reversed(list(enumerate(zip(scores.values(), COLOURS, strict=True)))):
        at = y + 6 * (n - 1)
        parts.append(f'<circle cx="{_x(one.precision)}" cy="{at}" r="4" fill="{colour}"/>')
        parts.append(
            f'<circle cx="{_x(one.recall)}" cy="{at}" r="4" fill="#fff" fill-opacity="0.6" '
            f'stroke="{colour}" stroke-width="2"/>'
        )
    return parts


def _x(share: float) -> float:
    return round(LABEL_W + PLOT_W * (max(share, FIRST) - FIRST) / (1 - FIRST), 1)
