"""GTINs, the numbers under a barcode: their check digit. Pure."""


def check_digit(body: str) -> str:
    """The last digit of the GTIN whose other digits are `body`."""
    weighted = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(body)))
    return str(-weighted % 10)


def is_gtin(code: str) -> bool:
    """Whether this is a GTIN-8, -12, -13 or -14 with the right check digit."""
    digits = code.isascii() and code.isdigit()
    return digits and len(code) in (8, 12, 13, 14) and code[-1] == check_digit(code[:-1])
