"""FastAPI and SQLAlchemy's ORM, an outbox that a poller publishes with aio-pika, and an inbox."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import aiohttp
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from fastapi import FastAPI, HTTPException, Response
from sqlalchemy import BigInteger, Identity, delete, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from bench.peers.apps.tables import Account, Base, NewOrder, Order, Payment, PlacedOrder, database_url

POLL_S = 0.05
BATCH = 100
PREFETCH = 20

engine = create_async_engine(database_url("asyncpg"), pool_size=PREFETCH + 10, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)

Handle = Callable[[AsyncSession, dict[str, Any]], Awaitable[None]]


class Outbox(Base):
    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    queue: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Inbox(Base):
    __tablename__ = "inbox"

    message_id: Mapped[str] = mapped_column(primary_key=True)


async def publish(channel: AbstractChannel, row: Outbox) -> None:
    """Publishes the row, and returns once the broker has confirmed it."""
    message = aio_pika.Message(
        json.dumps(row.body).encode(),
        message_id=f"{row.queue}-{row.id}",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await channel.default_exchange.publish(message, routing_key=row.queue)


async def publish_some(channel: AbstractChannel) -> int:
    async with Session.begin() as session:
        query = select(Outbox).order_by(Outbox.id).limit(BATCH).with_for_update(skip_locked=True)
        rows = (await session.scalars(query)).all()
        await asyncio.gather(*(publish(channel, row) for row in rows))
        if rows:
            await session.execute(delete(Outbox).where(Outbox.id.in_([row.id for row in rows])))
    return len(rows)


async def poll(channel: AbstractChannel) -> None:
    while True:
        try:
            if not await publish_some(channel):
                await asyncio.sleep(POLL_S)
        except Exception:
            logging.exception("the outbox could not be published")
            await asyncio.sleep(1)  # No busy loop while the broker or the database is away.


async def consume(channel: AbstractChannel, queue: str, handle: Handle) -> None:
    async def on_message(message: AbstractIncomingMessage) -> None:
        # The transaction is committed before the message is acknowledged.
        async with message.process(requeue=True), Session.begin() as session:
            claim = insert(Inbox).values(message_id=message.message_id).on_conflict_do_nothing()
            if await session.scalar(claim.returning(Inbox.message_id)):
                await handle(session, json.loads(message.body))

    await channel.set_qos(prefetch_count=PREFETCH)
    await (await channel.declare_queue(queue, durable=True)).consume(on_message)


def meeting_others(
    inbound: str, handle: Handle, outbound: str
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connection = await aio_pika.connect_robust(os.environ["RABBITMQ_URL"])
        async with connection, aiohttp.ClientSession() as app.state.http:
            publishing = await connection.channel()
            await publishing.declare_queue(outbound, durable=True)
            await consume(await connection.channel(), inbound, handle)
            poller = asyncio.create_task(poll(publishing))
            yield
            poller.cancel()

    return lifespan


async def settle(session: AsyncSession, body: dict[str, Any]) -> None:
    order = await session.get_one(Order, UUID(body["order_id"]), with_for_update=True)
    order.status = "FINISHED" if body["captured"] else "CANCELLED"


async def charge(session: AsyncSession, body: dict[str, Any]) -> None:
    amount = Decimal(body["amount"])
    account = await session.get_one(Account, body["user_id"], with_for_update=True)
    captured = account.balance >= amount
    if captured:
        account.balance -= amount
    order_id = UUID(body["order_id"])
    session.add(Payment(order_id=order_id, user_id=account.user_id, amount=amount, captured=captured))
    answer = {"order_id": body["order_id"], "captured": captured}
    session.add(Outbox(queue="payments-decided", body=answer))


orders = FastAPI(lifespan=meeting_others("payments-decided", settle, "orders-placed"))
payments = FastAPI(lifespan=meeting_others("orders-placed", charge, "payments-decided"))


@orders.post("/orders", status_code=201)
async def place(new: NewOrder) -> PlacedOrder:
    query = {"user_id": new.userId, "amount": str(new.amount)}
    async with orders.state.http.get(f"{os.environ['PAYMENTS_URL']}/admission", params=query) as answer:
        if answer.status != 204:
            raise HTTPException(answer.status)
    order = Order(id=uuid4(), user_id=new.userId, amount=new.amount)
    event = {"order_id": str(order.id), "user_id": new.userId, "amount": str(new.amount)}
    async with Session.begin() as session:
        session.add_all([order, Outbox(queue="orders-placed", body=event)])
    return PlacedOrder(id=order.id)


@payments.get("/admission", status_code=204)
async def admit(user_id: str, amount: Decimal) -> None:
    async with Session() as session:
        account = await session.get(Account, user_id)
    if account is None or account.balance < amount:
        raise HTTPException(402)


@orders.get("/health/ready")
@payments.get("/health/ready")
async def ready() -> Response:
    return Response()
