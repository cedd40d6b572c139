"""The wire's form encoding: `a[b][c]=1`, `a[]=1` and `a[0]=1` to nested values. Values stay text."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import bad_request

Nested = dict[str, Any]
NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
PART = re.compile(r"\[([^\[\]]*)\]")
MAX_DEPTH = 8


def decode(encoded: str) -> Nested:
    """Raises a StripeError where a name makes no sense."""
    if not encoded:
        return {}
    root: Nested = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if "[" not in name:
            root[name] = value
        else:
            _put(root, name, value)
    return {name: _lists(value) for name, value in root.items()}


def _put(root: Nested, name: str, value: str) -> None:
    match = NAME.match(name)
    if match is None:
        raise bad_request(f"Invalid parameter name: {name}", param=name)
    path = [match[1], *PART.findall(match[2])]
    if len(path) > MAX_DEPTH:
        raise bad_request(f"Parameter nested too deeply: {name}", param=name)
    here = root
    for i, part in enumerate(path):
        key = str(len(here)) if part == "" else part
        if i == len(path) - 1:
            here[key] = value
            return
        inner = here.setdefault(key, {})
        if not isinstance(inner, dict):
            raise bad_request(f"Parameter given twice, once as text: {name}", param=name)
        here = inner


def _lists(value: object) -> object:
    """A hash whose keys are 0..n-1 is a list."""
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}
