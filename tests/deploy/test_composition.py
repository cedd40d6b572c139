"""What docker-compose.yml says is what runs. There is no container engine here: its parts are checked, see the README."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli.env import demo_keys
from cli.processes import ROOT
from cli.temporal import DYNAMIC_CONFIG
from tests.architecture.test_layers import LAYERS
from tests.deploy.composition import composition, interpolated

FILE = composition({})
SERVICES: dict[str, Any] = FILE["services"]
ONE_SHOTS = {"migrate", "register", "temporal-schema"}
SPECIFICATION = json.loads((Path(__file__).parent / "compose-spec" / "compose-spec.json").read_text())


def test_the_file_is_of_the_specification_when_no_variable_is_set() -> None:
    jsonschema.Draft202012Validator(SPECIFICATION).validate(FILE)
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.Draft202012Validator(SPECIFICATION).validate({"services": {"api": {"helthcheck": {}}}})


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_probed_and_bound_to_the_loopback_when_it_is_started(name: str) -> None:
    service = SERVICES[name]
    assert service["image"].partition(":")[2].rpartition(":")[2] not in ("", "latest")
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == ("on-failure:5" if name in ONE_SHOTS else "unless-stopped")
    assert ("healthcheck" in service) is (name not in ONE_SHOTS)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert service.get("depends_on", {}).keys() <= SERVICES.keys()
    named = {volume.split(":")[0] for volume in service.get("volumes", ()) if not volume.startswith("./")}
    assert named <= FILE["volumes"].keys()
    if "build" in service:
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["api", "worker", "relay"])
def test_a_process_waits_for_schema_and_namespace_when_all_are_started(name: str) -> None:
    waits = {other: on["condition"] for other, on in SERVICES[name]["depends_on"].items()}
    assert waits == {"migrate": "service_completed_successfully", "register": "service_completed_successfully"}


@pytest.mark.parametrize("profile", ["dev", "prodlike"])
def test_one_server_is_named_temporal_when_a_profile_is_chosen(profile: str) -> None:
    chosen = {name: each for name, each in SERVICES.items() if profile in each.get("profiles", [profile])}
    names = [[name, *each.get("networks", {}).get("default", {}).get("aliases", ())] for name, each in chosen.items()]
    assert sum(name.count("temporal") for name in names) == 1
    published = [port.split(":")[1] for each in chosen.values() for port in each.get("ports", ())]
    assert len(published) == len(set(published))


def test_the_demos_keys_are_those_of_up_when_the_environment_has_none() -> None:
    keys = json.loads(SERVICES["api"]["environment"]["SHELFWAY_API_KEYS"])
    assert keys.items() <= json.loads(demo_keys()).items()


def test_the_development_profile_is_chosen_when_none_is_given() -> None:
    assert "COMPOSE_PROFILES=dev" in (ROOT / ".env").read_text().splitlines()


def test_only_migrations_know_the_owner_when_the_services_are_configured() -> None:
    knowing = {name for name, each in SERVICES.items() if "demo-owner" in str(each.get("environment"))}
    assert knowing == {"postgres", "migrate"}


def test_a_secret_of_the_environment_is_used_when_there_is_one() -> None:
    secrets = {"SHELFWAY_APP_PASSWORD": "s3cret", "STRIPE_API_KEY": "sk_live_1", "SHELFWAY_STRIPE_API_BASE": ""}
    variables = composition(secrets)["services"]["api"]["environment"]
    assert variables["SHELFWAY_DATABASE_URL"] == "postgresql://shelfway_app:s3cret@postgres:5432/shelfway"
    assert (variables["STRIPE_API_KEY"], variables["SHELFWAY_STRIPE_API_BASE"]) == ("sk_live_1", "")


def test_the_image_holds_all_our_packages_and_one_lock_file_when_it_is_built() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == {*LAYERS, "migrations", "pyproject.toml", "uv.lock", "deploy/uv.txt"}
    recipe = (ROOT / "Dockerfile").read_text()
    compiled = next(line for line in recipe.splitlines() if "compileall" in line)
    assert set(compiled.split()) >= {*LAYERS, "migrations"}
    for words in ("--require-hashes --no-deps --requirement deploy/uv.txt", "uv sync --frozen", "\nUSER 10001\n"):
        assert words in recipe


def test_temporal_is_set_as_the_embedded_one_when_it_is_a_container() -> None:
    prodlike = yaml.safe_load((ROOT / "deploy" / "temporal-dynamic.yaml").read_text())
    assert sorted(f"{name}={json.dumps(each['value'])}" for name, (each,) in prodlike.items()) == sorted(DYNAMIC_CONFIG)
    command = SERVICES["temporal"]["command"]
    assert {word for flag, word in pairwise(command) if flag == "--dynamic-config-value"} == set(DYNAMIC_CONFIG)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a${A:-1}b", "a1b"),
        ("${B:-1}", "1"),
        ("${B-1}", ""),
        ("${A:-${C:-x}}/${C:-y}", "c/c"),
        ('${A:-{"k": {}}}', '{"k": {}}'),
    ],
)
def test_a_default_is_taken_when_the_variable_is_not_set(text: str, value: str) -> None:
    assert interpolated(text, {"B": "", "C": "c"}) == value
