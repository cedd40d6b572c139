"""What a worker is made of: stores on one database, gateways, activities, and a Worker for each task queue."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.gateways.easypost import EasyPostGateway
from activities.gateways.stripe import StripeGateway
from activities.orders import OrderActivities
from activities.payments import PaymentActivities
from activities.ports import CarrierGateway, PaymentGateway
from activities.returns import ReturnActivities, ReturnShippingActivities
from activities.shipping import ShippingActivities
from models.clock import Clock
from models.config import Settings
from models.db import Database
from models.ids import TASK_QUEUE_ORDERS, TASK_QUEUE_PAYMENTS, TASK_QUEUE_SHIPPING
from models.messages.activities import Learned, ShipmentRef
from models.messages.returns import ReturnLearned, ReturnRef
from models.stores.fulfilment import Fulfilment
from models.stores.labels import Labels
from models.stores.orders import OrderStore
from models.stores.payments import PaymentStore
from models.stores.refunds import RefundStore
from models.stores.requests import RequestStore
from models.stores.return_labels import coming_back
from models.stores.returns import ReturnStore
from models.stores.shipment_labels import outgoing
from models.stores.sourcing import SourcingStore
from models.stores.stock import StockStore
from workers.faults import FaultPoints
from workers.interceptors import ErrorsByType
from workflows.order import OrderWorkflow
from workflows.return_ import ReturnWorkflow

# Longer than the longest start-to-close: a running capture is never cut off by a deploy.
GRACE: Final = timedelta(seconds=25)


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The stores that an order's transactions live in."""

    orders: OrderStore
    payments: PaymentStore
    refunds: RefundStore
    labels: Labels[ShipmentRef, Learned]
    returns: ReturnStore
    return_labels: Labels[ReturnRef, ReturnLearned]


def ledgers(db: Database, clock: Clock, *, link: str = "") -> Ledgers:
    """The stores on one database; `link` is the public address that ops' links begin with."""
    stock = StockStore()
    fulfilment = Fulfilment(stock, SourcingStore(stock))
    returns = ReturnStore(db, clock, stock, RequestStore(db, clock), link=link)
    return Ledgers(
        OrderStore(db, clock, fulfilment, link=link),
        PaymentStore(db, clock, fulfilment),
        RefundStore(db, clock),
        Labels(db, clock, outgoing),
        returns,
        Labels(db, clock, coming_back),
    )


def gateways(settings: Settings) -> tuple[PaymentGateway, CarrierGateway]:
    stripe = StripeGateway(
        settings.stripe_api_key.get_secret_value(), base=settings.stripe_api_base, live=settings.stripe_live
    )
    return stripe, EasyPostGateway(settings.easypost_api_key.get_secret_value(), base=settings.easypost_api_base)


def workers(
    client: Client,
    books: Ledgers,
    vendors: tuple[PaymentGateway, CarrierGateway],
    *,
    threads: int = 16,
    max_cached_workflows: int = 5000,
    sticky: timedelta = timedelta(seconds=3),
    queues: Sequence[str] = (TASK_QUEUE_ORDERS, TASK_QUEUE_PAYMENTS, TASK_QUEUE_SHIPPING),
    faults: FaultPoints | None = None,
) -> list[Worker]:
    """A Worker for each queue: workflows and Postgres steps on `orders`, each vendor on its own.

    It takes from the server what its threads can work on at once; the rest waits there, where no task's clock runs.
    By the SDK's default it takes a hundred workflow tasks: on a busy machine those all outlast their time, for ever.
    """
    stripe, easypost = (faults.around(vendors[0]), faults.around(vendors[1])) if faults else vendors
    orders = OrderActivities(books.orders)
    payments = PaymentActivities(books.payments, books.refunds, stripe)
    shipping = ShippingActivities(books.orders, books.labels, easypost)
    returns = ReturnActivities(books.returns)
    returning = ReturnShippingActivities(books.return_labels, easypost)
    serves: dict[str, tuple[list[Any], list[type]]] = {
        TASK_QUEUE_ORDERS: ([*methods_of(orders), *methods_of(returns)], [OrderWorkflow, ReturnWorkflow]),
        TASK_QUEUE_PAYMENTS: (methods_of(payments), []),
        TASK_QUEUE_SHIPPING: ([*methods_of(shipping), *methods_of(returning)], []),
    }
    return [
        Worker(
            client,
            task_queue=queue,
            activities=serves[queue][0],
            workflows=serves[queue][1],
            activity_executor=ThreadPoolExecutor(threads, thread_name_prefix=queue),
            max_concurrent_workflow_tasks=threads,
            max_concurrent_activities=threads,
            max_concurrent_local_activities=threads if serves[queue][1] else None,
            max_cached_workflows=max_cached_workflows,
            sticky_queue_schedule_to_start_timeout=sticky,
            graceful_shutdown_timeout=GRACE,
            interceptors=[ErrorsByType(), faults] if faults else [ErrorsByType()],
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        for queue in queues
    ]


def methods_of(activities: object) -> list[Any]:
    """The activities of one class, found by their mark, so that a new one cannot be forgotten."""
    methods = (getattr(activities, name) for name in dir(activities) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
