"""One order, from checkout to the end of its return window: what ops see as one run, with the order's id.

`run` only listens. The work is done by attendants, one for each key of `next_step`: checkout, order, payment and each
shipment. An attendant asks what comes next, does it or waits for it, and is never cancelled; a command, a fact or the
alarm (one timer, for the earliest deadline) only changes what comes next. Amounts, addresses and lots are never here:
steps answer with `OrderFacts`.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.orders import OrderActivities
    from models.messages.activities import EffectFailed
    from models.messages.base import M
    from models.messages.commands import Asked, Cancel, CommandOutcome, FactArrived
    from models.messages.facts import CHECKOUT, ORDER, PAYMENT, Stuck
    from models.messages.order import CheckoutAnswer, OrderInput, OrderResult, RunView
    from models.shipment import (
        Closed,
        Deadline,
        Do,
        Wait,
        begin,
        finish,
        idle,
        is_alarm_to_move,
        is_at_rest,
        lapse,
        learn,
        next_deadline,
        next_step,
        overdue,
    )
    from models.words import CommandKind, Verdict
    from workflows.effects import carry_out, summary
    from workflows.options import in_postgres, type_of
    from workflows.search import changes
    from workflows.view import alarm_for, status_table, view_of
    from workflows.waiting import sleep

_ALARM = "alarm"


@workflow.defn
class OrderWorkflow:
    @workflow.init
    def __init__(self, order: OrderInput) -> None:
        self._order = order
        self._facts = order.facts
        self._shown = order.facts.known
        self._answers: dict[str, CommandOutcome] = {}
        self._watched: dict[str, asyncio.Task[None]] = {}  # attendants and the alarm: what breaks there is raised
        self._moved = False  # something happened since this run began: it may be continued as a new one

    @workflow.run
    async def run(self, _order: OrderInput) -> OrderResult:
        """The order's life. Temporal's own Cancel is a cancel by ops, not an end of the run."""
        life = asyncio.create_task(self._life())
        while not life.done():
            try:
                await workflow.wait_condition(life.done)
            except asyncio.CancelledError:
                self._ask_cancel(Cancel(key="temporal-cancel", reason="cancelled_in_temporal"))
        return life.result()

    async def _life(self) -> OrderResult:
        await self._check_out()
        await self._fulfil()
        await self._wait_out_the_window()
        known = self._facts.known
        return OrderResult(status=known.status, shipments=len(known.shipments), stores=known.stores)

    async def _check_out(self) -> None:
        """Verify, plan and reserve, authorize: until there is a verdict. A refusal's own step leaves nothing held."""
        self._watched[_ALARM] = asyncio.create_task(self._alarm(), name=_ALARM)
        self._attend(ORDER)
        self._attend(CHECKOUT)
        await self._until(lambda: self._facts.known.verdict is not None)

    async def _fulfil(self) -> None:
        """Each shipment on its way, the payment beside them; re-sourcing adds shipments as it goes."""
        self._attend_all()
        await self._until(lambda: not any(s.open for s in self._facts.known.shipments) and self._is_settled())

    async def _wait_out_the_window(self) -> None:
        await self._until(lambda: self._watched[ORDER].done() and workflow.all_handlers_finished())

    def _is_settled(self) -> bool:
        known = self._facts.known
        return known.verdict is not Verdict.REQUIRES_ACTION and not known.payment.open

    # Attendants

    def _attend(self, key: str) -> None:
        if key not in self._watched or self._watched[key].done():
            self._watched[key] = asyncio.create_task(self._attendant(key), name=key)

    def _attend_all(self) -> None:
        """An attendant for whatever is open once checkout has its verdict."""
        if self._facts.known.verdict is None:
            return
        for key in (PAYMENT, *(s.id for s in self._facts.known.shipments)):
            if not isinstance(next_step(self._facts, key), Closed):
                self._attend(key)

    async def _attendant(self, key: str) -> None:
        """What comes next for one key, again and again, until nothing does."""
        while not isinstance(step := next_step(self._facts, key), Closed):
            if isinstance(step, Do):
                await self._do(key, step)
            else:
                await sleep(partial(self._is_past, key, step))

    def _is_past(self, key: str, step: Wait) -> bool:
        return next_step(self._facts, key) != step

    async def _alarm(self) -> None:
        """One timer for the earliest deadline of all keys. That it fired is a fact: the waits it ends have lapsed."""
        while True:
            due = next_deadline(self._facts, self._watched)
            words = alarm_for(self._facts, due.keys) if due else ""
            moved = await sleep(lambda due=due: self._is_alarm_to_move(due), due and due.until, words)
            if due and not moved:
                for key, at in overdue(self._facts, self._watched, due.until):
                    self._facts = lapse(self._facts, key, at)

    def _is_alarm_to_move(self, alarm: Deadline | None) -> bool:
        return is_alarm_to_move(self._facts, self._watched, alarm)

    async def _do(self, key: str, step: Do) -> None:
        """Carry out one effect and learn from it. One that can never succeed is stuck until a person says retry."""
        self._facts = begin(self._facts, key, step)
        revision = self._facts.known.revision
        words = summary(self._facts, key, step)
        try:
            learned = await carry_out(self._order.order_id, key, step, words)
        except ActivityError as error:
            await self._get_stuck(key, step, type_of(error))
            return
        self._facts = learn(finish(self._facts, key, step), learned.facts)
        if step.asked:
            self._answers[step.asked.command_id] = learned.outcome or CommandOutcome(done=True, code="done")
            if step.asked.kind is CommandKind.RETRY:
                self._facts = self._facts.but(stuck=())
        self._moved = True
        self._attend_all()
        self._show()
        if self._facts.known.revision == revision and next_step(self._facts, key) == step:
            await self._get_stuck(key, step, "NoProgress")  # else it would be done again at once, for ever

    async def _get_stuck(self, key: str, step: Do, error_type: str) -> None:
        """Somebody owns it from here on; a retry, or the next review, tries it again.

        Until its case is open it is in flight: a run that is continued as new meanwhile would not open it.
        """
        until = workflow.now() + self._order.timings.stuck_review
        stuck = (*self._facts.stuck, Stuck(key=key, effect=step.effect, until=until))
        self._facts = begin(idle(self._facts, key), key, step).but(stuck=stuck)
        failed = EffectFailed(
            order_id=self._order.order_id, key=key, effect=step.effect, error_type=error_type, stuck_until=until
        )
        learned = await in_postgres(OrderActivities.open_case, failed, f"Stuck: {step.effect}. Open a case")
        self._facts = learn(idle(self._facts, key), learned.facts)
        self._show()

    def _show(self) -> None:
        """Ops' view in Temporal's UI: search attributes when they change, the status table always."""
        known = self._facts.known
        if updates := changes(self._shown, known):
            workflow.upsert_search_attributes(updates)
            self._shown = known
        workflow.set_current_details(status_table(self._facts))

    # Waiting

    async def _until(self, reached: Callable[[], bool]) -> None:
        """The one idle place: a broken attendant fails the workflow task here, and a long run is continued as new."""
        while not reached():
            await sleep(lambda: reached() or bool(self._broken()) or self._may_renew())
            self._raise_broken()
            if not reached() and self._may_renew():
                workflow.continue_as_new(self._order.but(facts=self._facts))

    def _broken(self) -> list[tuple[str, BaseException]]:
        ended = [(key, task) for key, task in self._watched.items() if task.done()]
        return [(key, error) for key, task in ended if (error := task.exception())]

    def _raise_broken(self) -> None:
        """A bug fails the workflow task, which heals with the fixed deploy; never the order, with stock held."""
        for key, error in self._broken():
            raise RuntimeError(f"the task of {key} broke") from error

    def _may_renew(self) -> bool:
        """Due, no effect in flight, nobody's answer outstanding, every attendant at rest."""
        due = self._order.timings.renew_at_every_idle_point or workflow.info().is_continue_as_new_suggested()
        return due and self._moved and workflow.all_handlers_finished() and is_at_rest(self._facts, self._watched)

    # Messages

    def _ask(self, asked: Asked) -> None:
        if asked.command_id not in self._answers and asked not in self._facts.asked:
            self._facts = self._facts.but(asked=(*self._facts.asked, asked))

    def _ask_cancel(self, ask: Cancel) -> str:
        command_id = ask.key if ask.key.startswith("cmd_") else f"{self._order.order_id}:{ask.key}"
        self._ask(Asked(command_id=command_id, kind=CommandKind.CANCEL, cancel=ask))
        return command_id

    async def _answer(self, command_id: str) -> CommandOutcome:
        await sleep(lambda: command_id in self._answers)
        return self._answers[command_id]

    async def _obey(self, asked: Asked) -> CommandOutcome:
        self._ask(asked)
        return await self._answer(asked.command_id)

    @workflow.update(description="The checkout's verdict: confirmed, requires_action, or why not")
    async def checkout(self) -> CheckoutAnswer:
        await sleep(lambda: self._facts.known.verdict is not None)
        known = self._facts.known
        return CheckoutAnswer(verdict=known.verdict or Verdict.EXPIRED, status=known.status)

    @workflow.update(description="Cancel: answers when label, money and stock are undone, or why it cannot be")
    async def cancel(self, ask: Cancel) -> CommandOutcome:
        outcome = await self._answer(self._ask_cancel(ask))
        if outcome.done:
            await sleep(lambda: not self._facts.known.undoing)
        return outcome

    @workflow.update(description="A store takes the shipment it was offered")
    async def accept(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="A store refuses its shipment, with a reason; it is sourced elsewhere")
    async def reject(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="The parcel is packed: label and capture follow")
    async def pack(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="The carrier has the parcel: its stock goes down")
    async def hand_over(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="The cancelled units are out of the closed parcel: it may go")
    async def take_out(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="Stop what comes next, for a reason; deadlines go on")
    async def hold(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="Take one hold away")
    async def release(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.update(description="Try again what was stuck")
    async def retry(self, asked: Asked) -> CommandOutcome:
        return await self._obey(asked)

    @workflow.signal(name="cancel", description="The same as the Update; durable at once, with no worker up")
    def cancel_signal(self, *sent: Any) -> None:
        if ask := self._understood("cancel", Cancel, sent):
            self._ask_cancel(ask)

    @workflow.signal(description="Something happened outside: a row of the inbox")
    def fact(self, *sent: Any) -> None:
        arrived = self._understood("fact", FactArrived, sent)
        if arrived and arrived.id not in self._facts.arrived:
            self._facts = self._facts.but(arrived=(*self._facts.arrived, arrived.id))

    @workflow.signal(dynamic=True, description="Any other name was misspelt")
    def stray(self, name: str, _sent: Sequence[RawValue]) -> None:
        self._wonder(name)

    def _understood(self, name: str, shape: type[M], sent: Sequence[Any]) -> M | None:
        """The one object of a Signal. An exception here would fail every workflow task from now on."""
        try:
            return shape.model_validate(sent[0] if len(sent) == 1 else sent or {})
        except ValidationError:
            self._wonder(name)
            return None

    def _wonder(self, name: str) -> None:
        word = name[:80] if name.isprintable() else "unprintable"
        workflow.logger.warning("signal.senseless", extra={"signal": word})
        if word not in self._facts.senseless:
            self._facts = self._facts.but(senseless=(*self._facts.senseless, word))

    @workflow.query(description="What the run waits for, until when, and whose turn it is")
    def view(self) -> RunView:
        return view_of(self._facts)
