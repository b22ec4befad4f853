from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec import Struct

from stream import topics
from stream.schema import FOLDER, schema, schema_files, write
from tests.stream.golden import GOLDEN, TRACCAR


def test_the_schemas_in_the_repository_are_those_of_the_code() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert committed == schema_files(), "run: python -m stream.schema"


def test_the_module_writes_one_file_for_each_topic(tmp_path: Path) -> None:
    write(tmp_path / "schemas")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "schemas").iterdir()}
    assert written == schema_files()


@pytest.mark.parametrize("name", schema_files())
def test_a_schema_is_one_of_draft_2020_12(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name.removesuffix(".json")))


@pytest.mark.parametrize("example", GOLDEN, ids=lambda e: f"{e[0]} {type(e[1]).__name__}")
def test_a_message_fits_its_schema(example: tuple[str, Struct, bytes]) -> None:
    topic, _, golden = example
    jsonschema.Draft202012Validator(schema(topic)).validate(json.loads(golden))


def test_forwarded_positions_and_arrays_fit_the_schema_of_pings() -> None:
    validator = jsonschema.Draft202012Validator(schema(topics.PINGS))
    validator.validate([json.loads(TRACCAR), {"vehicle_id": "v", "ts": 1, "lat": 1, "lon": 2}])


def test_a_message_without_a_required_field_does_not_fit() -> None:
    validator = jsonschema.Draft202012Validator(schema(topics.ORDER_EVENTS))
    assert not validator.is_valid({"kind": "assigned", "order_id": "o-1", "ts": 1})
