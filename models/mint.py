"""New identifiers: a prefix and a time-ordered random part. Not pure: a workflow never mints one."""

from base64 import b32encode

from uuid_utils import uuid7


def mint(prefix: str) -> str:
    """`ord` gives for example `ord_0ck3v7q2m5…`: base32 of a UUIDv7, so ids sort by the time of their making."""
    return f"{prefix}_{b32encode(uuid7().bytes).decode().rstrip('=').translate(_SORTABLE).lower()}"


# RFC 4648's alphabet does not sort as its values do; base32hex's does.
_SORTABLE = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV")
