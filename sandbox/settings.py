"""Switches of a sandbox that people and tests change while it runs. Known names and types only."""

from collections.abc import Mapping

from sandbox.ledger import Ledger

Value = bool | int | float | str

SHARED_DEFAULTS: Mapping[str, Value] = {
    "webhooks": "on",  # on: deliver; hold: keep until on; drop: record as dropped
    "log_requests": False,
}


class SettingError(ValueError):
    """An unknown name or a value of the wrong type; its text is the answer to the caller."""


class Settings:
    """Stored in the ledger, read from memory."""

    def __init__(self, ledger: Ledger, defaults: Mapping[str, Value]) -> None:
        self._ledger = ledger
        self._defaults = {**SHARED_DEFAULTS, **defaults}
        self._values = dict(self._defaults)
        for name in self._defaults:
            stored = ledger.setting(f"setting.{name}")
            if isinstance(stored, bool | int | float | str):
                self._values[name] = stored

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def all(self) -> dict[str, Value]:
        return dict(self._values)

    def update(self, changes: Mapping[str, object]) -> None:
        """All or none; raises SettingError."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        with self._ledger.transaction():
            for name, value in checked.items():
                self._ledger.set_setting(f"setting.{name}", value)
        self._values.update(checked)

    def _checked(self, name: str, value: object) -> Value:
        if name not in self._defaults:
            raise SettingError(f"unknown setting {name!r}; known: {', '.join(sorted(self._defaults))}")
        default = self._defaults[name]
        if name == "webhooks" and value not in ("on", "hold", "drop"):
            raise SettingError("webhooks is one of on, hold, drop")
        if isinstance(default, bool) != isinstance(value, bool) or not isinstance(value, bool | int | float | str):
            raise SettingError(f"{name} is a {type(default).__name__}")
        if isinstance(default, str) != isinstance(value, str):
            raise SettingError(f"{name} is a {type(default).__name__}")
        return value
