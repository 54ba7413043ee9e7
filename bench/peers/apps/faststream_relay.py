"""faststream-outbox in FastAPI services, which relays the rows of an outbox to RabbitMQ."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import UUID, uuid4

import aiohttp
from fastapi import FastAPI, HTTPException, Response
from faststream.rabbit import Channel, RabbitQueue
from faststream.rabbit.fastapi import RabbitRouter
from faststream_outbox import make_outbox_table
from faststream_outbox.autovacuum import outbox_autovacuum_ddl
from faststream_outbox.fastapi import OutboxRouter
from pydantic import BaseModel
from sqlalchemy import DDL, Index, event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.peers.apps.tables import Account, Base, NewOrder, Order, Payment, PlacedOrder, database_url

WORKERS = 8
PREFETCH = 20
RELAYED = {
    "max_workers": WORKERS,
    "fetch_batch_size": 100,
    "min_fetch_interval": 0.05,
    "max_fetch_interval": 1.0,
    "lease_ttl_seconds": 10.0,
    "terminal_flush_batch_size": 20,
}

engine = create_async_engine(database_url("asyncpg"), pool_size=PREFETCH + 10 + WORKERS + 1, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)

Index("one_decision_per_order", Payment.order_id, unique=True)
outbox_table = make_outbox_table(Base.metadata, table_name="outbox")
event.listen(outbox_table, "after_create", DDL(outbox_autovacuum_ddl("outbox")))

PLACED, DECIDED = RabbitQueue("order-placed", durable=True), RabbitQueue("payment-decided", durable=True)


class OrderPlaced(BaseModel):
    order_id: UUID
    user_id: str
    amount: Decimal


class PaymentDecided(BaseModel):
    order_id: UUID
    captured: bool


def routers() -> tuple[OutboxRouter, RabbitRouter]:
    # Off, like uvicorn's access log: two log lines per message cost as much as it would.
    quiet = logging.DEBUG
    rabbit = RabbitRouter(
        os.environ["RABBITMQ_URL"], default_channel=Channel(prefetch_count=PREFETCH), log_level=quiet
    )
    return OutboxRouter(engine, outbox_table=outbox_table, log_level=quiet), rabbit


orders_outbox, orders_rabbit = routers()
payments_outbox, payments_rabbit = routers()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as app.state.http:
        yield
    await engine.dispose()


orders = FastAPI(lifespan=lifespan)
payments = FastAPI()


@orders.post("/orders", status_code=201)
async def place(new: NewOrder) -> PlacedOrder:
    query = {"user_id": new.userId, "amount": str(new.amount)}
    async with orders.state.http.get(f"{os.environ['PAYMENTS_URL']}/admission", params=query) as answer:
        if answer.status != 204:
            raise HTTPException(answer.status)
    order = Order(id=uuid4(), user_id=new.userId, amount=new.amount)
    placed = OrderPlaced(order_id=order.id, user_id=new.userId, amount=new.amount)
    async with Session.begin() as session:
        session.add(order)
        await orders_outbox.broker.publish(placed, queue="order-placed", session=session)
    return PlacedOrder(id=order.id)


@orders_rabbit.publisher(PLACED, persist=True)
@orders_outbox.subscriber("order-placed", **RELAYED)
async def relay_placed(body: OrderPlaced) -> OrderPlaced:
    return body


@payments.get("/admission", status_code=204)
async def admit(user_id: str, amount: Decimal) -> None:
    async with Session() as session:
        account = await session.get(Account, user_id)
    if account is None or account.balance < amount:
        raise HTTPException(402)


@payments_rabbit.subscriber(PLACED)
async def charge(placed: OrderPlaced) -> None:
    async with Session.begin() as session:
        account = await session.get_one(Account, placed.user_id, with_for_update=True)
        captured = account.balance >= placed.amount
        payment = insert(Payment).values(**placed.model_dump(), captured=captured)
        if await session.scalar(payment.on_conflict_do_nothing().returning(Payment.id)):
            if captured:
                account.balance -= placed.amount
            decided = PaymentDecided(order_id=placed.order_id, captured=captured)
            await payments_outbox.broker.publish(decided, queue="payment-decided", session=session)


@payments_rabbit.publisher(DECIDED, persist=True)
@payments_outbox.subscriber("payment-decided", **RELAYED)
async def relay_decided(body: PaymentDecided) -> PaymentDecided:
    return body


@orders_rabbit.subscriber(DECIDED)
async def settle(decided: PaymentDecided) -> None:
    async with Session.begin() as session:
        order = await session.get_one(Order, decided.order_id, with_for_update=True)
        order.status = "FINISHED" if decided.captured else "CANCELLED"


@orders.get("/health/ready")
@payments.get("/health/ready")
async def ready() -> Response:
    return Response()


orders.include_router(orders_outbox)
orders.include_router(orders_rabbit)
payments.include_router(payments_outbox)
payments.include_router(payments_rabbit)
