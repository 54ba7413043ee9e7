"""DBOS: a web server that enqueues a workflow with the order, and a worker that runs workflows."""

import threading
from uuid import UUID, uuid4

from dbos import DBOS, DBOSClient, EnqueueOptions, SQLAlchemyDatasource, run_dbos_database_migrations
from fastapi import FastAPI, HTTPException, Response
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from bench.peers.apps.tables import Account, NewOrder, Order, Payment, PlacedOrder, database_url

WORKFLOWS = 32
# The pool of each process; the worker's DBOS has 20 connections more.
CONNECTIONS = 12
QUEUE = "orders"

URL = database_url("psycopg").render_as_string(hide_password=False)
engine = create_engine(URL, pool_size=CONNECTIONS, max_overflow=0)
Session = sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatasource.create(URL, engine=engine)
client = DBOSClient(system_database_url=URL, lazy=True)
api = FastAPI()


@api.post("/orders", status_code=201)
def place(new: NewOrder) -> PlacedOrder:
    order = Order(id=uuid4(), user_id=new.userId, amount=new.amount)
    options: EnqueueOptions = {
        "workflow_name": "decide",
        "queue_name": QUEUE,
        "workflow_id": str(order.id),
    }
    with Session.begin() as session:
        account = session.get(Account, new.userId)
        if account is None or account.balance < new.amount:
            raise HTTPException(402)
        session.add(order)
        client.enqueue_in_transaction(session, options, str(order.id))
    return PlacedOrder(id=order.id)


@api.get("/health/ready")
def ready() -> Response:
    return Response()


@database.transaction(isolation_level="READ COMMITTED")
def settle(order_id: str) -> None:
    session = database.sql_session()
    order = session.get_one(Order, UUID(order_id))
    account = session.get_one(Account, order.user_id, with_for_update=True)
    captured = account.balance >= order.amount
    if captured:
        account.balance -= order.amount
    payment = Payment(order_id=order.id, user_id=order.user_id, amount=order.amount, captured=captured)
    session.add(payment)
    order.status = "FINISHED" if captured else "CANCELLED"


@DBOS.workflow(name="decide")
def decide(order_id: str) -> None:
    settle(order_id)


def migrate() -> None:
    run_dbos_database_migrations(URL)


if __name__ == "__main__":
    DBOS(
        config={"name": "peer", "system_database_url": URL, "executor_id": "worker", "run_migrations": False}
    )
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=WORKFLOWS, polling_interval_sec=0.05)
    threading.Event().wait()
