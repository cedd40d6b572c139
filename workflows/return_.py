"""One return, from its request to the last piece or the end of its time: a run with the return's id.

It buys the label, reminds the customer, takes in the carrier's scans and what people receive. What came back is given
back by the order's run, which learns of it as a fact.
"""

import asyncio
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.returns import ReturnActivities, ReturnShippingActivities
    from models.messages.commands import Asked, CommandOutcome, FactArrived
    from models.messages.returns import (
        ReturnFacts,
        ReturnFailed,
        ReturnInput,
        ReturnLapse,
        ReturnLearned,
        ReturnNews,
        ReturnObey,
        ReturnRef,
    )
    from models.returning import ReturnDo, ReturnEffect, next_return_step
    from models.shipment import Closed
    from models.words import ReturnStage
    from workflows.options import CARRIER, in_postgres, remotely, type_of
    from workflows.waiting import sleep

_WORDS: Final = {
    ReturnEffect.BUY_RETURN_LABEL: "Buy the label that brings it back",
    ReturnEffect.VOID_RETURN_LABEL: "Nobody used the label: ask its money back",
    ReturnEffect.RECEIVE: "Goods came back",
    ReturnEffect.APPLY_RETURN_FACTS: "Take in what the carrier said",
    ReturnEffect.LAPSE_RETURN: "Remind the customer, or end the return",
}


@workflow.defn
class ReturnWorkflow:
    @workflow.init
    def __init__(self, order: ReturnInput) -> None:
        self._input = order
        self._ref = ReturnRef(order_id=order.order_id, return_id=order.return_id)
        self._run = order.run
        self._answers: dict[str, CommandOutcome] = {}
        self._moved = False

    @workflow.run
    async def run(self, _order: ReturnInput) -> ReturnFacts:
        """The return's life. Temporal's own Cancel ends nothing: goods that are on their way come all the same."""
        life = asyncio.create_task(self._life())
        while not life.done():
            try:
                await workflow.wait_condition(life.done)
            except asyncio.CancelledError:
                workflow.logger.warning("return.cancel_ignored")
        return life.result()

    async def _life(self) -> ReturnFacts:
        while not isinstance(step := next_return_step(self._run), Closed):
            workflow.set_current_details(self._details())
            if isinstance(step, ReturnDo):
                await self._do(step)
            elif self._may_renew():
                workflow.continue_as_new(self._input.but(run=self._run))
            elif not await sleep(lambda step=step: next_return_step(self._run) != step, step.until, self._waits()):
                self._ring()
        await sleep(workflow.all_handlers_finished)
        return self._run.known

    async def _do(self, step: ReturnDo) -> None:
        try:
            learned = await self._carry_out(step)
        except ActivityError as error:
            await self._get_stuck(step, type_of(error))
            return
        self._moved = True
        self._run = self._run.but(
            known=learned.facts,
            asked=tuple(a for a in self._run.asked if a != step.asked),
            arrived=tuple(f for f in self._run.arrived if f not in step.arrived),
        )
        if step.asked:
            self._answers[step.asked.command_id] = learned.outcome or CommandOutcome(done=True, code="done")

    async def _carry_out(self, step: ReturnDo) -> ReturnLearned:
        words = _WORDS[step.effect]
        match step.effect:
            case ReturnEffect.BUY_RETURN_LABEL:
                return await remotely(ReturnShippingActivities.buy_return_label, self._ref, words, CARRIER)
            case ReturnEffect.VOID_RETURN_LABEL:
                return await remotely(ReturnShippingActivities.void_return_label, self._ref, words, CARRIER)
            case ReturnEffect.RECEIVE if step.asked:
                ask = ReturnObey(ref=self._ref, asked=step.asked)
                return await in_postgres(ReturnActivities.receive, ask, words)
            case ReturnEffect.LAPSE_RETURN if step.deadline:
                over = ReturnLapse(ref=self._ref, deadline=step.deadline)
                return await in_postgres(ReturnActivities.lapse_return, over, words)
            case _:
                news = ReturnNews(ref=self._ref, fact_ids=step.arrived)
                return await in_postgres(ReturnActivities.apply_return_facts, news, words)

    async def _get_stuck(self, step: ReturnDo, error_type: str) -> None:
        """Ops own it from here on; it is tried again at the review."""
        if step.asked:  # a command that fails for good is refused: nobody waits for it for ever
            self._answers[step.asked.command_id] = CommandOutcome(done=False, code="failed", message=error_type)
            self._run = self._run.but(asked=tuple(a for a in self._run.asked if a != step.asked))
        self._run = self._run.but(stuck=step.effect.value, review_at=workflow.now() + self._input.stuck_review)
        failed = ReturnFailed(ref=self._ref, effect=step.effect.value, error_type=error_type)
        await in_postgres(ReturnActivities.open_return_case, failed, f"Stuck: {step.effect}. Open a case")

    def _ring(self) -> None:
        """The timer fired: for the review of what is stuck, else for the return's own deadline."""
        review, deadline = self._run.review_at, self._run.known.deadline
        if review and (deadline is None or review <= deadline):
            self._run = self._run.but(stuck="", review_at=None)
        else:
            self._run = self._run.but(lapsed=deadline)

    def _may_renew(self) -> bool:
        due = self._input.renew_at_every_idle_point or workflow.info().is_continue_as_new_suggested()
        return due and self._moved and workflow.all_handlers_finished()

    def _waits(self) -> str:
        turn = "carrier" if self._run.known.stage is ReturnStage.ON_ITS_WAY else "customer"
        return f"waits for the goods ({turn}'s turn): then a reminder, or the end"

    def _details(self) -> str:
        known = self._run.known
        until = f", until {known.deadline:%Y-%m-%d %H:%M} UTC" if known.deadline else ""
        stuck = f" · stuck: {self._run.stuck}" if self._run.stuck else ""
        return f"**{known.stage.replace('_', ' ')}**{until}{stuck}"

    # Messages

    @workflow.update(description="The label is bought, or will not be: what the return is then")
    async def label(self) -> ReturnFacts:
        await sleep(lambda: not self._run.known.label_due or bool(self._run.stuck))
        return self._run.known

    @workflow.update(description="Pieces of it are here, with what becomes of each")
    async def receive(self, asked: Asked) -> CommandOutcome:
        if asked.command_id not in self._answers and asked not in self._run.asked:
            self._run = self._run.but(asked=(*self._run.asked, asked))
        await sleep(lambda: asked.command_id in self._answers)
        return self._answers[asked.command_id]

    @workflow.signal(description="The carrier said something of the return's label: a row of the inbox")
    def fact(self, *sent: Any) -> None:
        try:
            arrived = FactArrived.model_validate(sent[0] if len(sent) == 1 else {})
        except ValidationError:
            workflow.logger.warning("signal.senseless", extra={"signal": "fact"})
            return
        if arrived.id not in self._run.arrived:
            self._run = self._run.but(arrived=(*self._run.arrived, arrived.id))

    @workflow.query(description="Where the return stands")
    def view(self) -> ReturnFacts:
        return self._run.known
