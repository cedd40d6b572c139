"""Amounts of money: integers of a currency's ISO 4217 smallest unit, how they split, read, and go to Stripe. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_AMOUNT: Final = 99_999_999  # of any price, and of an order's total: Stripe takes eight digits

_BY_DECIMALS: Final = {
    0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf",
    3: "bhd iqd jod kwd lyd omr tnd",
    2: "aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop crc"
    " cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd"
    " kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio"
    " nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl"
    " thb tjs tmt top try ttd twd tzs uah usd uyu uzs ves wst xcd yer zar zmw",
}
_DECIMALS: Final = {code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()}
_SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


@dataclass(frozen=True, slots=True)
class Currency:
    """`decimals` by ISO 4217, `stripe_decimals` as Stripe counts; `step` is the smallest amount a card can pay."""

    code: str
    decimals: int
    stripe_decimals: int
    step: int = 1


def currency(code: str) -> Currency:
    """The rules of a lower-case ISO 4217 code; KeyError when it is none that we know."""
    decimals = _DECIMALS[code]
    if code in ("isk", "ugx"):  # no decimals since long, two at Stripe, which must be 00
        return Currency(code, decimals, stripe_decimals=2)
    if code == "mga":  # two decimals in ISO's list, none at Stripe
        return Currency(code, decimals, stripe_decimals=0, step=100)
    # Of three decimals card networks settle two.
    return Currency(code, decimals, stripe_decimals=decimals, step=10 if decimals == 3 else 1)


def chargeable(amount: int, code: str) -> bool:
    """Whether a card can be charged exactly this: KWD 1.005 cannot, JPY 500 can."""
    return amount % currency(code).step == 0


def to_stripe(amount: int, code: str) -> int:
    """Our amount as Stripe's integer: JPY 500 is 500, ISK 500 is 50000. ValueError when it cannot be charged."""
    rules = currency(code)
    if amount % rules.step:
        raise ValueError(f"{code} amounts are multiples of {rules.step}")
    return amount * 10**rules.stripe_decimals // 10**rules.decimals


def from_stripe(amount: int, code: str) -> int:
    """Stripe's integer as our amount; ValueError when it names a fraction that the currency does not have."""
    rules = currency(code)
    ours, rest = divmod(amount * 10**rules.decimals, 10**rules.stripe_decimals)
    if rest:
        raise ValueError(f"{code} has {rules.decimals} decimals")
    return ours


def portion(amount: int, numerator: int, denominator: int, step: int = 1) -> int:
    """`amount x numerator / denominator`, half up to a multiple of `step`; nothing here is negative."""
    whole = denominator * step
    return (2 * amount * numerator + whole) // (2 * whole) * step


def share(total: int, weights: Sequence[int], step: int = 1) -> list[int]:
    """Split by the largest remainder: the sum is exact, ties go to the earlier, a share never exceeds its weight's
    part by a whole step, a weight of 0 gets nothing (unless all are 0: then all count alike).
    """
    if total < 0 or total % step or not weights or min(weights) < 0:
        raise ValueError("a total is a whole number of steps, shared over weights that are not negative")
    weight = sum(weights)
    if not weight:
        return share(total, [1] * len(weights), step)
    steps = total // step
    parts = [divmod(steps * each, weight) for each in weights]
    left = steps - sum(whole for whole, _ in parts)
    lucky = sorted(range(len(parts)), key=lambda place: -parts[place][1])[:left]
    shares = [whole * step for whole, _ in parts]
    for place in lucky:
        shares[place] += step
    return shares


def format_money(amount: int, code: str) -> str:
    """For people: `$1,234.50`, `¥500`, `KWD 1.500`."""
    decimals = currency(code).decimals
    whole, fraction = divmod(abs(amount), 10**decimals)
    number = f"{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(code, f"{code.upper()} ")
    return f"{sign}{symbol}{number}"
