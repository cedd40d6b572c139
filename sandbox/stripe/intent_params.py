"""Parameters of payment intents and setup intents: what they take, and what Stripe has and the sandbox has not."""

from sandbox.stripe.params import (
    EXPAND,
    PAGE,
    SHIPPING,
    Parse,
    boolean,
    choice,
    clearable,
    either,
    integer,
    list_of,
    metadata,
    missing_here,
    nested,
    only,
    text,
)
from sandbox.stripe.payment_methods import CREATE as METHOD_DATA

_CARD_OPTIONS = nested(
    {
        "request_multicapture": choice("if_available", "never"),
        "request_three_d_secure": choice("any", "automatic", "challenge"),
        **missing_here(
            "capture_method", "cvc_token", "installments", "mandate_options", "moto", "network",
            "request_extended_authorization", "request_incremental_authorization", "request_overcapture",
            "require_cvc_recollection", "setup_future_usage", "statement_descriptor_suffix_kana",
            "statement_descriptor_suffix_kanji", "three_d_secure",
        ),
    }
)  # fmt: skip
_METHODS: dict[str, Parse] = {
    "payment_method": text,
    "payment_method_data": nested({name: parse for name, parse in METHOD_DATA.items() if name != "expand"}),
    "payment_method_options": nested({"card": _CARD_OPTIONS}),
    "payment_method_types": list_of(only("card", "payment method types")),
    "receipt_email": clearable(text),
    "setup_future_usage": clearable(choice("off_session", "on_session")),
    "shipping": clearable(SHIPPING),
}
CONFIRM_ONLY: dict[str, Parse] = {
    "off_session": either(boolean, choice("one_off", "recurring")),
    "error_on_requires_action": boolean,
    "return_url": text,
    "use_stripe_sdk": boolean,
}
_BOTH: dict[str, Parse] = {
    **EXPAND,
    **_METHODS,
    "amount": integer,
    "currency": text,
    "customer": text,
    "description": text,
    "metadata": metadata,
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    "capture_method": choice("automatic", "automatic_async", "manual"),
    **missing_here(
        "allowed_payment_method_types", "amount_details", "application_fee_amount", "customer_account",
        "excluded_payment_method_types", "hooks", "payment_details", "payment_method_configuration", "transfer_data",
        "transfer_group",
    ),
}  # fmt: skip
PAYMENT_CREATE: dict[str, Parse] = {
    **_BOTH,
    **CONFIRM_ONLY,
    "confirm": boolean,
    "confirmation_method": only("automatic", "confirmation methods"),
    "automatic_payment_methods": nested({"enabled": boolean, "allow_redirects": choice("always", "never")}),
    **missing_here("confirmation_token", "mandate", "mandate_data", "on_behalf_of", "radar_options"),
}
PAYMENT_UPDATE: dict[str, Parse] = _BOTH
PAYMENT_CONFIRM: dict[str, Parse] = {
    **EXPAND,
    **_METHODS,
    **CONFIRM_ONLY,
    "client_secret": text,
    "capture_method": choice("automatic", "automatic_async", "manual"),
    **missing_here(
        "allowed_payment_method_types", "amount_details", "amount_to_confirm", "confirmation_token",
        "excluded_payment_method_types", "hooks", "mandate", "mandate_data", "payment_details", "radar_options",
    ),
}  # fmt: skip
PAYMENT_CAPTURE: dict[str, Parse] = {
    **EXPAND,
    "amount_to_capture": integer,
    "final_capture": boolean,
    "metadata": metadata,
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    **missing_here("amount_details", "application_fee_amount", "hooks", "payment_details", "transfer_data"),
}
PAYMENT_CANCEL: dict[str, Parse] = {
    **EXPAND,
    "cancellation_reason": choice("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
}
PAYMENT_RETRIEVE: dict[str, Parse] = {**EXPAND, "client_secret": text}
PAYMENT_LIST: dict[str, Parse] = {**PAGE, "customer": text, **missing_here("customer_account")}

_SETUP_OPTIONS = nested(
    {
        "card": nested(
            {
                "request_three_d_secure": choice("any", "automatic", "challenge"),
                **missing_here("mandate_options", "moto", "network", "three_d_secure"),
            }
        )
    }
)
_SETUP_BOTH: dict[str, Parse] = {
    **EXPAND,
    "payment_method": text,
    "payment_method_data": _METHODS["payment_method_data"],
    "payment_method_options": _SETUP_OPTIONS,
    **missing_here("allowed_payment_method_types"),
}
_SETUP_MISSING = missing_here(
    "attach_to_self", "customer_account", "excluded_payment_method_types", "flow_directions", "on_behalf_of",
    "payment_method_configuration", "single_use",
)  # fmt: skip
SETUP_UPDATE: dict[str, Parse] = {
    **_SETUP_MISSING,
    **_SETUP_BOTH,
    "customer": text,
    "description": text,
    "metadata": metadata,
    "payment_method_types": list_of(only("card", "payment method types")),
}
SETUP_CONFIRM: dict[str, Parse] = {
    **_SETUP_BOTH,
    "client_secret": text,
    "return_url": text,
    "use_stripe_sdk": boolean,
    **missing_here("confirmation_token", "mandate_data"),
}
SETUP_CREATE: dict[str, Parse] = {
    **SETUP_UPDATE,
    "confirm": boolean,
    "return_url": text,
    "usage": choice("off_session", "on_session"),
    "use_stripe_sdk": boolean,
    "automatic_payment_methods": nested({"enabled": boolean, "allow_redirects": choice("always", "never")}),
    **missing_here("confirmation_token", "mandate_data"),
}
SETUP_CANCEL: dict[str, Parse] = {
    **EXPAND,
    "cancellation_reason": choice("abandoned", "duplicate", "requested_by_customer"),
}
SETUP_RETRIEVE: dict[str, Parse] = {**EXPAND, "client_secret": text}
SETUP_LIST: dict[str, Parse] = {**PAGE, "customer": text, "payment_method": text, **missing_here("attach_to_self")}
