"""Tracking codes that look like each carrier's. Random, so that two fresh sandboxes do not give the same."""

import secrets

_DIGITS = {"USPS": ("9400100", 22), "FedExDefault": ("7", 12), "DHLPaket": ("00340434", 20), "DPD": ("0", 14)}


def tracking_code(carrier: str) -> str:
    if carrier == "UPSDAP":
        return "1ZSBX" + _random(13)
    prefix, length = _DIGITS.get(carrier, ("", 10))
    if carrier != "USPS":
        return prefix + _random(length - len(prefix))
    body = prefix + _random(length - len(prefix) - 1)
    weighted = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(body)))
    return body + str(-weighted % 10)


def _random(digits: int) -> str:
    return f"{secrets.randbelow(10**digits):0{digits}d}"
