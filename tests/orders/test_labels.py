from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from orders.labels import AGES, CODES, STAGES, Label
from orders.model import Age, Code, Stage

TABLES: list[tuple[type[StrEnum], Mapping[Any, Label]]] = [
    (Stage, STAGES),
    (Code, CODES),
    (Age, AGES),
]


@pytest.mark.parametrize(("words", "labels"), TABLES)
def test_every_word_has_a_label(words: type[StrEnum], labels: Mapping[Any, Label]) -> None:
    assert set(labels) == set(words)


@pytest.mark.parametrize(("words", "labels"), TABLES)
def test_no_two_words_share_a_label(words: type[StrEnum], labels: Mapping[Any, Label]) -> None:
    assert len({label.zh for label in labels.values()}) == len(words)
    assert len({label.en for label in labels.values()}) == len(words)


@pytest.mark.parametrize(("words", "labels"), TABLES)
def test_chinese_labels_are_chinese_and_english_ones_are_not(
    words: type[StrEnum], labels: Mapping[Any, Label]
) -> None:
    assert all(all("\u4e00" <= c <= "\u9fff" for c in labels[word].zh) for word in words)
    assert all(labels[word].en.isascii() and labels[word].en for word in words)
