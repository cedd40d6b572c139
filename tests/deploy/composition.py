"""docker-compose.yml with no variable set, and its services as processes of this machine.

A process gets the file's own command and environment and nothing else. Only what a container would have of its own is
mapped: a service's name and `0.0.0.0` to the loopback, its port to one that is free here, /tmp and /data to folders.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cli import cluster, ports
from cli.processes import ROOT, Process

INITIALIZATION = "/docker-entrypoint-initdb.d/"
PORTS = (5432, 7233, 8233, 8000, 12111, 12112)

_PROGRAMS = (
    Path(sys.executable).parent,
    cluster.wheel_folder() / f"pginstall{cluster.MAJOR}" / "bin",
    Path("/usr/bin"),
    Path("/bin"),
)


def composition(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file, with `${...}` as those variables say."""
    return _filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()), variables)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _filled(value, variables) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return interpolated(node, variables) if isinstance(node, str) else node


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """`${NAME:-default}`, for an empty variable too, and `${NAME-default}`; a default may have braces of its own."""
    before, dollar, rest = text.partition("$")
    if not dollar:
        return before
    match = re.match(r"\{(\w+)(:?)-", rest)
    assert match, f"not understood: {text}"
    end = _closing(rest)
    default = interpolated(rest[match.end() : end], variables)
    value = variables.get(match[1], default)
    return before + (value or (default if match[2] else "")) + interpolated(rest[end + 1 :], variables)


def _closing(text: str) -> int:
    depth = 0
    for at, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return at
    raise ValueError(f"no closing brace: {text}")


class Here:
    """The services as processes, with their files in `folder`."""

    def __init__(self, services: Mapping[str, Any], folder: Path) -> None:
        self._services = services
        self._folder = folder
        self.ports = {port: ports.find() for port in PORTS}
        self._hosts = re.compile(rf"(?<![\w.-])(?:(?:{'|'.join(services)})(?=:\d)|0\.0\.0\.0(?![\w.]))")
        self._ports = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(str, PORTS))})(?![\w.-])")
        self._paths = re.compile(r"(?<![\w/])(?=/(?:tmp|data|home/temporal)/)")

    def placed(self, service: str, text: str) -> str:
        """What stands in the file, as it has to be on this machine."""
        text = self._hosts.sub("127.0.0.1", text)
        text = self._ports.sub(lambda port: str(self.ports[int(port[0])]), text)
        return self._paths.sub(str(self._folder / service), text)

    def environment(self, service: str) -> dict[str, str]:
        variables = self._services[service].get("environment", {})
        placed = {name: self.placed(service, str(value)) for name, value in variables.items()}
        return placed | {"PATH": ":".join(map(str, _PROGRAMS)), "PYTHONUNBUFFERED": "1"}  # of the image

    def process(self, service: str) -> Process:
        """Not started yet."""
        for path in ("tmp", "data", "home/temporal"):
            (self._folder / service / path).mkdir(parents=True, exist_ok=True)
        words = [*self._services[service].get("entrypoint", ()), *self._services[service]["command"]]
        argv = [self.placed(service, word) for word in words]
        return Process(service, argv, self._folder / f"{service}.log", self.environment(service))

    def healthy(self, service: str) -> bool:
        """What the file's health check says."""
        how, *words = self._services[service]["healthcheck"]["test"]
        command = ["/bin/sh", "-c", *words] if how == "CMD-SHELL" else words
        argv = [self.placed(service, word) for word in command]
        environment = self.environment(service)
        done = subprocess.run(argv, env=environment, capture_output=True, timeout=30, check=False, cwd=ROOT)
        return done.returncode == 0

    def initialize(self, superuser: Mapping[str, str]) -> None:
        """Run what Postgres' image runs on an empty volume; `superuser` says how psql gets in."""
        volumes = self._services["postgres"]["volumes"]
        script = next(volume.split(":")[0] for volume in volumes if INITIALIZATION in volume)
        subprocess.run([ROOT / script], env=self.environment("postgres") | superuser, check=True)
