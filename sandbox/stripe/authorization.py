"""Whether a card pays: approved, a challenge first, or a decline. Pure."""

from typing import Literal

from sandbox.stripe.cards import AUTHENTICATION_REQUIRED, GENERIC, Decline, TestCard

Verdict = Literal["approved", "challenge"] | Decline

DAY = 86_400
WINDOW = 7 * DAY
VISA_OFF_SESSION_WINDOW = 4 * DAY + 18 * 3600
MULTICAPTURE_BRANDS = frozenset({"visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"})


def decide(
    card: TestCard,
    *,
    off_session: bool = False,
    set_up: bool = False,
    asks_challenge: bool = False,
    passed: bool = False,
) -> Verdict:
    """`set_up`: saved for off-session use before; `passed`: the customer has just authenticated."""
    if card.lookup_fails:
        return GENERIC
    if not passed:
        if off_session and _refuses_off_session(card, set_up=set_up):
            return AUTHENTICATION_REQUIRED
        if not off_session and _challenges(card, asks_challenge=asks_challenge):
            return "challenge"
    return card.decline or "approved"


def decide_setup(card: TestCard, *, asks_challenge: bool = False, passed: bool = False) -> Verdict:
    """The same for saving a card. One that counts as set up already is not challenged."""
    if not card.attaches and card.decline:
        return card.decline
    challenged = card.three_d_secure != "on_session" and _challenges(card, asks_challenge=asks_challenge)
    return "challenge" if challenged and not passed else "approved"


def _refuses_off_session(card: TestCard, *, set_up: bool) -> bool:
    return card.three_d_secure == "always" or (card.three_d_secure == "always_on_session" and not set_up)


def _challenges(card: TestCard, *, asks_challenge: bool) -> bool:
    if card.three_d_secure == "optional":
        return asks_challenge
    return card.three_d_secure in ("always", "always_on_session", "on_session")


def capture_window(card: TestCard, *, off_session: bool, discover: float = WINDOW) -> int:
    """Seconds for which an authorization stands; `discover`: a customer's own on a card of that brand."""
    if card.brand == "discover" and not off_session:
        return int(discover)
    return VISA_OFF_SESSION_WINDOW if off_session and card.brand == "visa" else WINDOW


def allows_multicapture(card: TestCard, *, switched_on: bool, requested: bool) -> bool:
    return switched_on and requested and card.multicapture and card.brand in MULTICAPTURE_BRANDS
