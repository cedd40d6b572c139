"""Which TCP port on the loopback each server takes: set by the environment, else remembered if free, else found."""

import json
import os
import random
import socket
from pathlib import Path

_RANGE = range(20_000, 32_000)  # below the ports that a system hands to outgoing connections


class PortError(RuntimeError):
    """A port that was asked for is taken, or is no port."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server listens there now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def find() -> int:
    """A free port that no outgoing connection will take while its server starts."""
    for port in random.sample(_RANGE, 200):
        if is_free(port):
            return port
    raise PortError(f"no free port between {_RANGE.start} and {_RANGE.stop}")


class Ports:
    """The ports of one checkout. A name is `API`, `POSTGRES`, ...; `SHELFWAY_<NAME>_PORT` fixes it.

    Found ports are kept in `file`, so that a link printed yesterday works today.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, int] = {}
        if file.exists():
            self._known = json.loads(file.read_text())

    def get(self, name: str) -> int:
        """Raises PortError when the port that the environment fixes is taken."""
        fixed = os.environ.get(f"SHELFWAY_{name}_PORT")
        if fixed:
            return self._fixed(name, fixed)
        known = self._known.get(name)
        if known is not None and is_free(known):
            return known
        port = next(port for port in iter(find, None) if port not in self._known.values())
        self._known[name] = port
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._known, indent=1) + "\n")
        return port

    def _fixed(self, name: str, text: str) -> int:
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise PortError(f"SHELFWAY_{name}_PORT={text!r} is no port")
        if not is_free(int(text)):
            raise PortError(f"SHELFWAY_{name}_PORT: port {text} is taken")
        return int(text)
