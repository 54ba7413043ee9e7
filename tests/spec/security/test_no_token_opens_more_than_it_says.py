"""Many requests that nobody thought of, with tokens: each answer is one that the documents describe, and
people change what is theirs alone.

FUZZ_EXAMPLES=100 sends more of them, and those of operators and services too.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kernel.domain.caller import Role
from tests.servers.database import connected
from tests.servers.shop import SERVICES
from tests.spec.documents.judging import judged
from tests.spec.security.conftest import Guarded

TABLES = {"orders": ("orders", "order_history"), "payments": ("accounts", "transfers", "payments")}


async def of_others(shop: Guarded, user: str) -> dict[str, str | None]:
    """A digest of all rows in each table that are not this user's."""
    found = {}
    for service, tables in TABLES.items():
        async with connected(shop.databases[service]) as connection:
            for table in tables:
                rows = f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t"
                found[table] = await connection.fetchval(f"{rows} WHERE user_id <> $1", user)
    return found


async def judge(shop: Guarded, folder: Path, tokens_for: Callable[[str], Sequence[str]]) -> None:
    folders = {service: folder / service for service in SERVICES}
    for path in folders.values():
        path.mkdir()
    runs = (
        judged(shop.urls[service], path, examples=2, tokens=tokens_for(service))
        for service, path in folders.items()
    )
    assert [said for code, said in await asyncio.gather(*runs) if code != 0] == []


async def test_people_change_what_is_theirs_alone(guarded: Guarded, tmp_path: Path) -> None:
    victim, user = await guarded.customer(), await guarded.customer()
    await guarded.order_of(victim)
    before = await of_others(guarded, user)
    tokens = [
        guarded.keys.token(user),
        "",
        guarded.keys.token("vera", Role.VIEWER),
        guarded.keys.token(victim, valid_s=-60),
    ]
    await judge(guarded, tmp_path, lambda _: tokens)
    assert await of_others(guarded, user) == before


@pytest.mark.skipif("FUZZ_EXAMPLES" not in os.environ, reason="without FUZZ_EXAMPLES, people alone are tried")
async def test_operators_and_services_get_what_the_documents_say(guarded: Guarded, tmp_path: Path) -> None:
    operator = guarded.keys.token("olga", Role.OPERATOR)
    await judge(guarded, tmp_path, lambda service: [operator, guarded.keys.service_token("gateway", service)])
