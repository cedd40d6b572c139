"""Who may do what: the one table. A route names a permission; a key has a role; nothing is allowed that is not here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from models.words import Role

Permission = Literal[
    "catalogue:read",
    "catalogue:write",
    "locations:read",
    "locations:write",
    "stock:read",
    "stock:write",
    "stock:reserve",
    "quotes:create",
    "orders:create",
    "orders:waits",
    "orders:read",
    "orders:cancel",
    "orders:hold",
    "orders:retry",
    "shipments:read",
    "shipments:work",
    "returns:read",
    "returns:create",
    "returns:policy",
    "returns:receive",
    "cases:read",
    "cases:close",
]

_READS: Final[frozenset[Permission]] = frozenset({"catalogue:read", "locations:read", "stock:read"})
_SHOP: Final[frozenset[Permission]] = frozenset({"quotes:create", "orders:create", "orders:read", "stock:reserve"})

_DESK: Final[frozenset[Permission]] = frozenset({"orders:hold", "shipments:read", "cases:read", "cases:close"})
_NODE: Final[frozenset[Permission]] = frozenset({"stock:write", "shipments:read", "shipments:work"})
_CANCEL: Final[frozenset[Permission]] = frozenset({"orders:cancel"})
_RETURN: Final[frozenset[Permission]] = frozenset({"returns:read", "returns:create"})
_POLICY: Final[frozenset[Permission]] = frozenset({"returns:policy"})
_RECEIVE: Final[frozenset[Permission]] = frozenset({"returns:read", "returns:receive"})
_ALL: Final[frozenset[Permission]] = frozenset(get_args(Permission))
_NONE: Final[frozenset[Permission]] = frozenset()

ALLOWED: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.STOREFRONT: _READS | _SHOP | _CANCEL | _RETURN,
    Role.CUSTOMER: _NONE,
    Role.CS: _READS | _SHOP | _CANCEL | _DESK | _RETURN | _RECEIVE | _POLICY,
    Role.STORE: _READS | _NODE | _RECEIVE,
    Role.OPS: _ALL,
    Role.ADMIN: _ALL,
    Role.SYSTEM: _NONE,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. With a `location_id` (a store's key) only that location's things exist for it."""

    role: Role
    id: str
    location_id: str | None = None

    @property
    def name(self) -> str:
        """The one text for a person or key, in rows: `store:demo-store-1`."""
        return f"{self.role.value}:{self.id}"

    def may(self, permission: Permission) -> bool:
        return permission in ALLOWED[self.role]
