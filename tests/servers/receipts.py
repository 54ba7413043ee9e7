"""A program that runs the whole shop, and an added service that stores a receipt of each payment.

The added service receives the payments' messages from the bus inside the process, as the orders service does.
"""

import asyncio
import os
import signal
from collections.abc import Sequence

from sqlalchemy import Column, MetaData, Table, Text, Uuid, insert, select

from kernel.adapters.cloudevents import Decoders, decode_events
from kernel.adapters.in_process.bus import InProcessBroker, InProcessBus, InProcessNotifications
from kernel.adapters.postgres.connections.engine import connect_engine
from kernel.adapters.postgres.messages.inbox import PostgresInbox
from kernel.adapters.postgres.messages.parked import PostgresParkedMessages
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, unnest
from kernel.adapters.system_clock import SystemClock
from kernel.application.consume import Consumer, ParkMessage
from kernel.contracts.messaging import Catalog, Messaging
from kernel.domain.events import Received, Unhandled
from kernel.service import Host
from orders.domain.events import PaymentCaptured
from payments.contract.messages import PAYMENT_CAPTURED, PaymentCapturedV1
from shop.services import load_shop

TABLE = Table("receipts", MetaData(), Column("order_id", Uuid), Column("message", Text))
# The table has no unique key, so a message that is handled twice leaves two rows.
CREATE = "CREATE TABLE receipts (order_id uuid NOT NULL, message text NOT NULL)"

_ADD = insert(TABLE).from_select(["order_id", "message"], select(*unnest(*TABLE.c).c))
_DECODERS: Decoders[PaymentCaptured] = {
    PAYMENT_CAPTURED: (
        PaymentCapturedV1,
        lambda data, origin: PaymentCaptured(order_id=data.order_id, user_id=data.user_id, **origin),
    )
}
_MESSAGING = Messaging(service="receipts", subscribes=_DECODERS)


class KeepReceipts:
    def __init__(self, url: str) -> None:
        self._clock = SystemClock()
        self._engine = connect_engine(url)

    async def __call__(self, facts: Sequence[Received[PaymentCaptured]]) -> Sequence[Unhandled]:
        async with (uow := PostgresUnitOfWork(self._engine)):
            fresh = await PostgresInbox(uow, self._clock).claim(facts)
            rows = [(item.fact.order_id, item.message.id) for item in fresh]
            await uow.transaction.write(_ADD, arrays(tuple(TABLE.c), rows))
        return []

    async def park(self, unhandled: Unhandled) -> None:
        uow = PostgresUnitOfWork(self._engine)
        park = ParkMessage(uow, PostgresInbox(uow, self._clock), PostgresParkedMessages(uow, self._clock))
        await park(unhandled)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    shop = load_shop(os.environ)
    broker = InProcessBroker(Catalog([*shop.catalog.services, _MESSAGING]))
    receipts = KeepReceipts(os.environ["RECEIPTS_DATABASE_URL"])

    def host(service: str) -> Host:
        return Host(
            bus=lambda: InProcessBus(broker, service),
            notifications=lambda: InProcessNotifications(broker),
            asyncapi=None,
            expose=lambda _: None,
            stop=stop,
        )

    consumer = Consumer(lambda body: decode_events(body, _DECODERS), receipts, receipts.park, SystemClock())
    await InProcessBus(broker, "receipts").subscribe(consumer)
    async with asyncio.TaskGroup() as group:
        for name, service in shop.services.items():
            group.create_task(service.load_main().serve(shop.settings[name], host(name)))


if __name__ == "__main__":
    asyncio.run(main())
