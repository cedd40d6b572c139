"""How long each wait of an order lasts: data in the workflow's input, so that tests and demos can shorten them."""

from datetime import timedelta

from models.messages.base import Message


class OrderTimings(Message):
    """Production's values. A store's `offer` counts in its opening hours unless `offer_in_opening_hours` is false."""

    confirm_within: timedelta = timedelta(minutes=15)
    offer: timedelta = timedelta(hours=2)
    offer_in_opening_hours: bool = True
    pack: timedelta = timedelta(hours=24)
    hand_over: timedelta = timedelta(days=2)
    tracking_silence: timedelta = timedelta(days=7)
    customer_answer: timedelta = timedelta(days=3)
    hold_review: timedelta = timedelta(days=1)
    keep_alive_margin: timedelta = timedelta(days=1)
    stuck_review: timedelta = timedelta(hours=1)
    late_answer: timedelta = timedelta(minutes=1)  # a provider may still do what was last asked of it so long ago
    return_window: timedelta = timedelta(days=30)
    return_transit: timedelta = timedelta(days=30)  # that a return may take from its request to its receipt
    return_reminders: tuple[timedelta, ...] = (timedelta(days=14), timedelta(days=3))  # before that ends
    renew_at_every_idle_point: bool = False  # tests: continue as new wherever a run may
