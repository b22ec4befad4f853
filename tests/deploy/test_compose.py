"""The compose file and the Dockerfile, as far as they can be read without a container engine."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from commands.kafka import kafka_version
from stream.config import ConfigError, load_settings
from tests.deploy.compose import COMPOSE, GIVEN, OURS, SERVICES, environment, interpolated
from tests.deploy.programs import DEPLOY, ROOT, load
from tests.deploy.stack import ALERTMANAGER, PROMETHEUS

# Only a file of that package is wanted, so it is not imported.
SCHEMA = json.loads(
    Path(
        str(
            distribution("check-jsonschema").locate_file(
                "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
            )
        )
    ).read_text()
)
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)*(@sha256:[0-9a-f]{64})?")
ONE_SHOT = {"topics"}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def problems(document: Any) -> list[str]:
    validator = jsonschema.validators.validator_for(SCHEMA)
    return [error.message for error in validator(SCHEMA).iter_errors(document)]


def test_it_follows_the_compose_specification() -> None:
    assert problems(COMPOSE) == []


@pytest.mark.parametrize(
    "change",
    [{"imagee": "redis:7.2.11"}, {"ports": "8700"}, {"healthcheck": {"tests": []}}],
    ids=lambda change: str(*change),
)
def test_the_specification_finds_what_is_wrong(change: dict[str, Any]) -> None:
    services = SERVICES | {"push": SERVICES["push"] | change}
    assert problems(COMPOSE | {"services": services})


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_an_exact_version(name: str) -> None:
    assert EXACT.fullmatch(SERVICES[name]["image"])


def test_the_dockerfile_starts_from_exact_versions_and_ends_without_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert all(EXACT.fullmatch(base) for base in bases)
    users = re.findall(r"^USER (\S+)", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)
    assert users == ["10001"]


def test_the_broker_is_the_one_that_is_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_is_looked_at_and_cannot_fill_the_disk(name: str) -> None:
    service = SERVICES[name]
    assert service["logging"]["options"]["max-size"]
    if name in ONE_SHOT:
        assert service["restart"].startswith("on-failure")
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


def test_everything_is_published_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        source, _, inside = volume.partition(":")
        if source.startswith("."):
            assert (DEPLOY / source).resolve().exists(), volume
            assert inside.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_every_secret_is_a_file_with_an_example_and_none_stands_in_the_file() -> None:
    examples = {file.name for file in (DEPLOY / "secrets.example").iterdir()}
    assert set(COMPOSE["secrets"]) == examples
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    used = [name for service in SERVICES.values() for name in service.get("secrets", ())]
    assert set(used) == examples
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|TOKEN|KEY$", name):
                assert value.startswith(("${", "/run/secrets/")), name


def test_git_and_the_image_keep_no_secret() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"deploy/.env", "deploy/secrets/"} <= set(ignored)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert "*" in allowed
    assert not {"!deploy", "!deploy/.env", "!deploy/secrets"} & set(allowed)


def test_alertmanager_is_given_every_address_it_reads() -> None:
    given = {f"/run/secrets/{name}" for name in SERVICES["alertmanager"]["secrets"]}
    receivers = load(ALERTMANAGER)["receivers"]
    assert {hook["url_file"] for r in receivers for hook in r["webhook_configs"]} == given


def test_the_example_of_env_has_every_variable() -> None:
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(COMPOSE)))
    example = re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE)
    assert asked == set(example)


def test_a_missing_secret_says_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"deploy/\.env"):
        interpolated(SERVICES["push"]["environment"]["MILEPOST_TOKEN_SECRET"], {})


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    settings = load_settings(environment(name))
    assert settings.brokers == "kafka:9092"
    assert settings.redis == "redis://redis:6379/0"
    with pytest.raises(ConfigError):
        load_settings({**environment(name), "MILEPOST_BROKER": "kafka:9092"})


def test_prometheus_looks_where_our_services_are() -> None:
    scraped = {
        (service, discovery["port"])
        for job in load(PROMETHEUS)["scrape_configs"]
        for discovery in job["dns_sd_configs"]
        for service in discovery["names"]
    }
    http = {name: environment(name)["MILEPOST_HTTP"] for name in ("vehicles", "orders", "alerts")}
    serving = {**http, "push": environment("push")["MILEPOST_PUSH"]}
    assert scraped == {(n, int(at.removeprefix("0.0.0.0:"))) for n, at in serving.items()}


def test_push_may_open_a_file_for_each_client() -> None:
    clients = load_settings(environment("push")).max_clients
    assert SERVICES["push"]["ulimits"]["nofile"]["soft"] >= clients + 100
    assert GIVEN["MILEPOST_TOKEN_SECRET"] == load_settings(environment("push")).token_secret


def test_the_image_gets_what_the_lock_names() -> None:
    """deploy/requirements.lock is requirements.lock without the tools of development."""

    def pinned(file: Path) -> dict[str, str]:
        entries = file.read_text().replace("\\\n", "").splitlines()
        return dict(entry.split("==", 1) for entry in entries if "==" in entry)

    image, whole = pinned(DEPLOY / "requirements.lock"), pinned(ROOT / "requirements.lock")
    assert image
    assert {name: whole.get(name) for name in image} == image
    assert "pytest" not in image


def test_the_build_context_has_what_the_wheel_is_made_of() -> None:
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    parts = set(build["targets"]["wheel"]["only-include"])
    assert "web/dist" in parts, "the pages stage of the Dockerfile makes it"
    assert {f"!{part}" for part in parts - {"web/dist"}} | {"!web"} <= set(allowed)
