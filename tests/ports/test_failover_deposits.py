"""Deposits without a key, whose server is demoted at some moment: none is lost, none is made twice."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.operator_record import PostgresOperatorRecord
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.system_clock import SystemClock
from kernel.application.group_commit import GroupCommit
from kernel.domain.caller import ANYONE
from payments.adapters.outbound.postgres import PostgresAccounts, PostgresLedger
from payments.application.make_deposits import MakeDeposits
from payments.domain.account import Deposited
from payments.domain.commands import Deposit
from tests.ports.pair import Pair, both, engine_of, name, prepare
from tests.ports.worlds import DEADLINE_S
from tests.servers.cable import Cable, Way
from tests.servers.database import ReplicatedDatabase, connected
from tests.servers.postgres import Template

clock = SystemClock()


def deposits_into(engine: AsyncEngine) -> GroupCommit[Deposit, Deposited]:
    async def make(commands: Any) -> Any:
        uow = PostgresUnitOfWork(engine)
        accounts, ledger, record = PostgresAccounts(uow), PostgresLedger(uow), PostgresOperatorRecord(uow)
        return await MakeDeposits(uow, accounts, ledger, record, clock, by_users=True)(commands)

    return GroupCommit(make, clock)


def deposit() -> Deposit:
    return Deposit(transfer_id=clock.new_id(), caller=ANYONE, user_id="ada", amount=100, idempotency_key=None)


MOMENTS = {
    "before the transaction": (None, None, "B"),
    "between BEGIN and the last statement": (b"FOR UPDATE", Way.THERE, "B"),
    "between the last statement and COMMIT": (b"COMMIT", Way.THERE, "A"),
    "between COMMIT and its answer": (b"COMMIT", Way.BACK, "A"),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_deposit_without_a_key_is_made_once_whenever_its_server_is_demoted(
    pair: Pair, moment: str
) -> None:
    marker, way, place = MOMENTS[moment]
    make, before = deposits_into(pair.engine), (await pair.a.deposits(), await pair.b.deposits())
    async with asyncio.timeout(DEADLINE_S):
        if marker is None or way is None:
            await name(pair.engine)
            await pair.demote()
            made = await make(deposit())
        else:
            async with pair.a.cable.holding(marker, way) as held:
                making = asyncio.create_task(make(deposit()))
                await held.caught.wait()
                await pair.demote()
            made = await making
    assert not made.replayed
    assert await name(pair.engine) == "B"
    await pair.a.has_connections(0)
    after = (await pair.a.deposits(), await pair.b.deposits())
    assert after == ((before[0] + 1, before[1]) if place == "A" else (before[0], before[1] + 1))


async def test_a_deposit_whose_confirmation_is_lost_in_a_switchover_is_made_once(
    scratch: Path, template: Template
) -> None:
    database = ReplicatedDatabase(scratch / "failover-replicated", "payments", template, {"fsync": "off"})
    try:
        await database.start()
        await prepare(database.url)
        async with (
            Cable(database.urls[0]) as a,
            Cable(database.urls[1]) as b,
            engine_of(both(a, b)) as engine,
        ):
            make = deposits_into(engine)
            async with asyncio.timeout(DEADLINE_S), a.holding(b"COMMIT", Way.BACK) as held:
                making = asyncio.create_task(make(deposit()))
                await held.caught.wait()
                await database.switch_over()
                await a.cut()
                assert not (await making).replayed
            async with connected(database.url) as b_itself:
                assert await b_itself.fetchval("SELECT array_agg(amount) FROM transfers") == [100]
    finally:
        database.stop()
