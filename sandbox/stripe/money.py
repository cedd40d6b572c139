"""What amounts and currencies Stripe takes. Amounts are integers in the unit that Stripe expects."""

from sandbox.stripe.errors import bad_request

MAX_AMOUNT = 99_999_999
_ZERO = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"
_TWO = """
usd eur gbp aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop
crc cve czk dkk dop dzd egp etb fjd fkp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp
lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd
rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd yer zar zmw
"""
ZERO_DECIMAL = frozenset(_ZERO.split())
THREE_DECIMAL = frozenset(_THREE.split())
WHOLE_IN_HUNDREDS = frozenset({"isk", "ugx"})  # sent times 100, with no fraction
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | WHOLE_IN_HUNDREDS | frozenset(_TWO.split())


def check_currency(currency: str) -> str:
    """Lower-cased; raises StripeError."""
    lowered = currency.lower()
    if lowered not in CURRENCIES:
        raise bad_request(f"Invalid currency: {currency}.", None, "currency")
    return lowered


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """Raises StripeError where Stripe refuses the amount in this currency."""
    if amount < 1:
        raise bad_request("This value must be greater than or equal to 1.", "parameter_invalid_integer", param)
    if amount > MAX_AMOUNT:
        raise bad_request("Amount must be no more than 99999999.", "amount_too_large", param)
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit of an amount in {currency} must be 0."
        raise bad_request(message, "parameter_invalid_integer", param)
    if currency in WHOLE_IN_HUNDREDS and amount % 100:
        message = f"Invalid amount: {currency} has no fraction; send a multiple of 100."
        raise bad_request(message, "parameter_invalid_integer", param)
    return amount


def shown(amount: int, currency: str) -> str:
    """For messages."""
    if currency in ZERO_DECIMAL:
        return f"{amount} {currency}"
    digits = 3 if currency in THREE_DECIMAL else 2
    return f"{amount / 10**digits:.{digits}f} {currency}"
