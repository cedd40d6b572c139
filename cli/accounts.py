"""Another account for a server that refuses to run as root, and folders that such an account can reach.

Only root needs this. It creates no account and changes the mode of no folder but those that it made itself.
"""

import functools
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "shelfway-"
_OWNER_FILE = "belongs-to"  # in a folder outside the checkout: the folder that it serves
_ACCOUNTS = ("postgres", "nobody", "daemon")


class AccountError(RuntimeError):
    """Root has no other account to run a server as, or no folder that both can use."""


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


@functools.cache
def unprivileged() -> Account | None:
    """None when we are not root: run as ourselves. Raises AccountError."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise AccountError(f"PostgreSQL does not run as root, and there is none of the accounts {', '.join(_ACCOUNTS)}")


def reachable(path: Path) -> bool:
    """Whether any account may pass through every folder on the way to `path` and into it."""
    path = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def outside_folder(serves: Path) -> Path:
    """A new private folder outside root's home, marked as serving the folder `serves`; see `sweep`."""
    for parent in ("/var/tmp", "/tmp", tempfile.gettempdir()):  # noqa: S108 (mkdtemp: mode 0700, a name nobody knows)
        base = Path(parent)
        if base.is_dir() and reachable(base) and not os.statvfs(base).f_flag & os.ST_NOEXEC:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            (folder / _OWNER_FILE).write_text(str(serves.resolve()))
            return folder
    raise AccountError("found no temporary folder that another account can reach and run programs in")


def sweep() -> None:
    """Removes the outside folders whose checkout is gone."""
    for parent in ("/var/tmp", "/tmp"):  # noqa: S108 (only what root or we made there)
        for mark in Path(parent).glob(f"{_PREFIX}*/{_OWNER_FILE}"):
            if mark.lstat().st_uid == 0 and not Path(mark.read_text()).exists():
                shutil.rmtree(mark.parent, ignore_errors=True)
