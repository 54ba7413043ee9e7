"""Celery on RabbitMQ: a web server that sends a task with the order's id, and workers that run it."""

import os
from uuid import UUID, uuid4

from celery import Celery
from fastapi import FastAPI, HTTPException, Response
from sqlalchemy import Index, create_engine
from sqlalchemy.orm import sessionmaker

from bench.peers.apps.tables import Account, NewOrder, Order, Payment, PlacedOrder, database_url

# Starlette runs this number of synchronous handlers at once.
THREADS = 40

engine = create_engine(database_url("psycopg"), pool_size=THREADS // 2, max_overflow=0)
Session = sessionmaker(engine, expire_on_commit=False)
Index("one_decision_per_order", Payment.order_id, unique=True)

celery = Celery("peer", broker=os.environ["RABBITMQ_URL"])
celery.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    broker_pool_limit=THREADS,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)
api = FastAPI()


@api.post("/orders", status_code=201)
def place(new: NewOrder) -> PlacedOrder:
    order = Order(id=uuid4(), user_id=new.userId, amount=new.amount)
    with Session.begin() as session:
        account = session.get(Account, new.userId)
        if account is None or account.balance < new.amount:
            raise HTTPException(402)
        session.add(order)
    # After the commit; otherwise the worker might not find the order.
    decide.delay(str(order.id))
    return PlacedOrder(id=order.id)


@celery.task
def decide(order_id: str) -> None:
    with Session.begin() as session:
        order = session.get_one(Order, UUID(order_id), with_for_update=True)
        if order.status != "NEW":
            return
        account = session.get_one(Account, order.user_id, with_for_update=True)
        captured = account.balance >= order.amount
        if captured:
            account.balance -= order.amount
        payment = Payment(order_id=order.id, user_id=order.user_id, amount=order.amount, captured=captured)
        session.add(payment)
        order.status = "FINISHED" if captured else "CANCELLED"


@api.get("/health/ready")
def ready() -> Response:
    return Response()
