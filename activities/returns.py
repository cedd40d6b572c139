"""A return's steps: its label bought or asked back, and what is one Postgres transaction. Thin, as the order's are.

A thread is never interrupted: a try that timed out ends by itself, and what it did is found by its key.
"""

from temporalio import activity

from activities import labelling
from activities.ports import CarrierGateway, LabelLedger, ReturnLedger
from models.messages.returns import ReturnFailed, ReturnLapse, ReturnLearned, ReturnNews, ReturnObey, ReturnRef


class ReturnActivities:
    def __init__(self, returns: ReturnLedger) -> None:
        self._returns = returns

    @activity.defn(no_thread_cancel_exception=True)
    def receive(self, ask: ReturnObey) -> ReturnLearned:
        """Pieces of it are here: restock or scrap them; their money is due back."""
        return self._returns.obey(ask.ref.return_id, ask.asked)

    @activity.defn(no_thread_cancel_exception=True)
    def apply_return_facts(self, news: ReturnNews) -> ReturnLearned:
        """Take in what the carrier said of it."""
        return self._returns.apply_facts(news.ref, news.fact_ids)

    @activity.defn(no_thread_cancel_exception=True)
    def lapse_return(self, over: ReturnLapse) -> ReturnLearned:
        """Remind the customer, or end the wait."""
        return self._returns.lapse(over.ref, over.deadline)

    @activity.defn(no_thread_cancel_exception=True)
    def open_return_case(self, failed: ReturnFailed) -> ReturnLearned:
        """A step cannot succeed as things stand: somebody owns that from here on."""
        return self._returns.failed(failed)


class ReturnShippingActivities:
    def __init__(self, labels: LabelLedger[ReturnRef, ReturnLearned], carrier: CarrierGateway) -> None:
        self._labels = labels
        self._carrier = carrier

    @activity.defn(no_thread_cancel_exception=True)
    def buy_return_label(self, ref: ReturnRef) -> ReturnLearned:
        """Buy the label that brings the goods back: one live label a return."""
        return labelling.buy(self._labels, self._carrier, ref)

    @activity.defn(no_thread_cancel_exception=True)
    def void_return_label(self, ref: ReturnRef) -> ReturnLearned:
        """Ask for the refund of a label that nobody used; one that the carrier did not sell is struck out."""
        return labelling.ask_back(self._labels, self._carrier, ref)
