"""Stripe's documented test cards: what each is and how it behaves (docs.stripe.com/testing)."""

from dataclasses import dataclass
from typing import Literal

ThreeDSecure = Literal["supported", "optional", "unsupported", "always", "on_session", "always_on_session"]


@dataclass(frozen=True)
class Decline:
    """A refusal by the issuer; `decline_code` is None where Stripe documents none."""

    code: str
    decline_code: str | None
    message: str


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)
EXPIRED = Decline("expired_card", None, "Your card has expired.")
INCORRECT_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
BLOCKED = Decline("card_declined", "fraudulent", "Your card was declined.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
LIVE_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. "
    "For a list of valid test cards, visit: https://docs.stripe.com/testing.",
)


@dataclass(frozen=True)
class TestCard:
    """One row of the table. `token` stands behind pm_card_ and tok_."""

    __test__ = False  # for pytest: this is no test class

    number: str
    token: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None  # of every charge, after 3-D Secure if there is any
    attaches: bool = True  # False: the decline already comes when it is saved
    # always: every payment; on_session: off-session payments pass as if set up; always_on_session: off-session ones
    # pass once it is set up; optional: a challenge only when asked for
    three_d_secure: ThreeDSecure = "supported"
    lookup_fails: bool = False  # 3-D Secure is required and its look-up fails: declined without a challenge
    refund: Literal["succeeds", "pending", "fails"] = "succeeds"
    dispute: str | None = None  # the reason
    inquiry: bool = False
    fraud_warning: bool = False
    risk: Literal["normal", "elevated", "highest"] = "normal"
    cvc_check: str = "pass"
    postal_check: str = "pass"
    multicapture: bool = True
    available_at_once: bool = False


def _declines(number: str, token: str, decline: Decline) -> TestCard:
    return TestCard(number, token, decline=decline, attaches=False)


CARDS: tuple[TestCard, ...] = (
    TestCard("4242424242424242", "visa"),
    TestCard("4000056655665556", "visa_debit", funding="debit"),
    TestCard("5555555555554444", "mastercard", brand="mastercard"),
    TestCard("2223003122003222", "mastercard_2_series", brand="mastercard"),
    TestCard("5200828282828210", "mastercard_debit", brand="mastercard", funding="debit"),
    TestCard("5105105105105100", "mastercard_prepaid", brand="mastercard", funding="prepaid"),
    TestCard("378282246310005", "amex", brand="amex"),
    TestCard("6011111111111117", "discover", brand="discover"),
    TestCard("3056930009020004", "diners", brand="diners"),
    TestCard("3566002020360505", "jcb", brand="jcb", country="JP"),
    TestCard("6200000000000005", "unionpay", brand="unionpay", country="CN"),
    TestCard("4000002760000016", "de", country="DE"),
    TestCard("4000002500000003", "fr", country="FR"),
    TestCard("4000008260000000", "gb", country="GB"),
    _declines("4000000000000002", "chargeDeclined", GENERIC),
    _declines("4000000000009995", "chargeDeclinedInsufficientFunds", INSUFFICIENT),
    _declines("4000000000009987", "chargeDeclinedLostCard", LOST),
    _declines("4000000000009979", "chargeDeclinedStolenCard", STOLEN),
    _declines("4000000000006975", "chargeDeclinedVelocityLimitExceeded", VELOCITY),
    _declines("4000000000000069", "chargeDeclinedExpiredCard", EXPIRED),
    _declines("4000000000000127", "chargeDeclinedIncorrectCvc", INCORRECT_CVC),
    _declines("4000000000000119", "chargeDeclinedProcessingError", PROCESSING),
    TestCard("4000000000000341", "chargeCustomerFail", decline=GENERIC),
    TestCard("4100000000000019", "radarBlock", decline=BLOCKED, risk="highest"),
    TestCard("4000000000009235", "riskLevelElevated", risk="elevated"),
    TestCard("4000000000000101", "cvcCheckFail", cvc_check="fail"),
    TestCard("4000000000000036", "avsZipFail", postal_check="fail"),
    TestCard("4000002760003184", "authenticationRequired", three_d_secure="always", country="DE"),
    TestCard("4000002500003155", "authenticationRequiredOnSetup", three_d_secure="always_on_session", country="FR"),
    TestCard("4000003800000446", "authenticationRequiredSetupForOffSession", three_d_secure="on_session", country="IT"),
    TestCard(
        "4000008260003178",
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        three_d_secure="always_on_session",
        decline=INSUFFICIENT,
        country="GB",
    ),
    TestCard("4000008400001629", "threeDSecureRequiredChargeDeclined", three_d_secure="always", decline=GENERIC),
    TestCard("4000008400001280", "threeDSecureRequiredProcessingError", lookup_fails=True),
    TestCard("4000000000003220", "threeDSecure2Required", three_d_secure="always"),
    TestCard("4000000000003055", "threeDSecureOptional", three_d_secure="optional"),
    TestCard("378282246310005", "amex_threeDSecureNotSupported", brand="amex", three_d_secure="unsupported"),
    TestCard("4000000000007726", "pendingRefund", refund="pending"),
    TestCard("4000000000005126", "refundFail", refund="fails"),
    TestCard("4000000000000259", "createDispute", dispute="fraudulent"),
    TestCard("4000000000002685", "createDisputeProductNotReceived", dispute="product_not_received"),
    TestCard("4000000000001976", "createDisputeInquiry", dispute="fraudulent", inquiry=True),
    TestCard("4000000000005423", "createIssuerFraudRecord", fraud_warning=True),
    TestCard("4000000000000077", "bypassPending", available_at_once=True),
    TestCard("4000008400000076", "credit_disableEnterpriseCardFeatures", multicapture=False),
)
_ALIASES = {
    "us": "visa",
    "bypassPendingInternational": "bypassPending",
    **{f"visa_{card.token}": card.token for card in CARDS if card.token.startswith("chargeDeclined")},
}
_BY_OWN_TOKEN = {card.token: card for card in CARDS}
BY_TOKEN = _BY_OWN_TOKEN | {alias: _BY_OWN_TOKEN[token] for alias, token in _ALIASES.items()}
BY_NUMBER = {card.number: card for card in reversed(CARDS)}


def card_of_token(token: str) -> TestCard | None:
    """By `pm_card_...` or `tok_...`."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            return BY_TOKEN.get(token.removeprefix(prefix))
    return None


def passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return len(digits) >= 12 and (sum(digits[::2]) + sum(doubled)) % 10 == 0
