"""Random mishaps under load, as `python -m load_tests.chaos` runs them; here some of the first
seeds."""

from __future__ import annotations

import pytest

from commands.kafka import KafkaServer
from load_tests.chaos import run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_comes_out_wrong(kafka: KafkaServer, seed: int) -> None:
    outcome = run(kafka, seed, print, mishaps=3)
    assert (outcome.findings, outcome.wrong) == ([], 0)
