"""A service of somebody else runs beside ours, from a folder of its own, and nothing of ours is changed.

`tests/beside/points` gives users points for what they paid: it has a message, a table with a migration, a
setting, a route, a command, a check for the audit and one for its health, and hears of the payments that
orders hears of.
"""

import json
import re
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from kernel.adapters.embedded.postgres import running_url
from tests.servers.database import connected
from tests.servers.ports import free_port
from tests.servers.process import eventually
from tests.servers.shop import Embedded
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.scenario import Http, expect
from tests.spec.store import Store

PACKAGE = Path(__file__).parents[2] / "beside" / "points"
PER_PAYMENT = 5


class WithPoints(Embedded):
    """`shop up` where the package of points is installed, as pip does it: a folder and its entry points."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        shutil.copytree(PACKAGE, directory / "site" / "points", ignore=shutil.ignore_patterns("__pycache__"))
        (information := directory / "site" / "points-1.0.dist-info").mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: points\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text("[shop.services]\npoints = points.service:SERVICE\n")
        port = free_port()
        self.urls["points"] = f"http://127.0.0.1:{port}"
        self.settings |= {
            "PYTHONPATH": str(directory / "site"),
            "POINTS_PORT": str(port),
            "POINTS_PER_PAYMENT": str(PER_PAYMENT),
        }
        self.processes["up"] = self.process("up", ready_at=self.urls.values())

    async def refuses(self, *arguments: str, **settings: str) -> str:
        """What a command prints that ends with 1."""
        command = self.process(*arguments, **settings)
        assert await command.run() == 1
        return command.stdout + command.stderr


@pytest.fixture(scope="module")
async def shop(scratch: Path) -> AsyncIterator[WithPoints]:
    async with WithPoints(scratch / "beside") as shop:
        yield shop


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with aiohttp.ClientSession() as session:
        yield Http(session)


def database_of(shop: WithPoints) -> str:
    return running_url(Path(shop.settings["SHOP_DATA_DIR"]) / "points", database="points")


async def in_points(shop: WithPoints, statement: str) -> None:
    async with connected(database_of(shop)) as database:
        await database.execute(statement)


async def has_points(shop: WithPoints, http: Http, user: str, points: int) -> bool:
    answer = expect(200, await http.get(f"{shop.urls['points']}/points/{user}"))
    return bool(answer["points"] == points)


async def test_the_service_answers_on_its_own_port_from_its_own_table(shop: WithPoints, http: Http) -> None:
    answer = await http.get(f"{shop.urls['points']}/points/alice")
    assert expect(200, answer) == {"userId": "alice", "points": 0}


async def test_orders_still_hears_the_messages_that_the_service_hears(shop: WithPoints, http: Http) -> None:
    store = Store.at_the_gateway(http, shop)
    user = await store.open_account(funds="10.00")
    order = await store.decided((await store.placed(user, "10.00"))["id"])
    assert order["status"] == "FINISHED"

    await eventually(partial(has_points, shop, http, user, PER_PAYMENT))
    assert await shop.says("points", user) == f"{PER_PAYMENT}\n"


async def test_the_service_documents_its_routes_and_messages_at_its_address(
    shop: WithPoints, http: Http
) -> None:
    document = expect(200, await http.get(f"{shop.urls['points']}/schema/openapi.json"))
    assert document["paths"]["/points/{userId}"]["get"]["operationId"] == "getPoints"
    assert "points" in document["components"]["schemas"]["Points"]["properties"]
    document = expect(200, await http.get(f"{shop.urls['points']}/schema/asyncapi.json"))
    assert set(document["operations"]) == {"sendPointsEarnedV1", "receivePaymentCapturedV1"}


async def test_the_console_has_the_command_of_the_service(shop: WithPoints) -> None:
    help = await shop.says("--help")
    assert re.search("^  points +Print how many points a user has.$", help, re.MULTILINE)
    assert await shop.says("points", "nobody") == "0\n"


async def test_the_commands_for_services_take_this_service_too(shop: WithPoints) -> None:
    revisions = json.loads(await shop.says("migrate", "all", "--json"))
    assert (list(revisions), revisions["points"]) == (["orders", "payments", "points"], 1)
    await shop.says("dead-letters", "list", "--service", "points")
    assert "{orders|payments|gateway|points}" in await shop.says("serve", "--help")


async def test_the_service_may_do_in_its_database_what_it_declares(shop: WithPoints) -> None:
    folder = Path(shop.settings["SHOP_DATA_DIR"]) / "points"
    of_role = running_url(folder, database="points", owner=False)
    assert of_role != database_of(shop)
    async with connected(str(of_role)) as database:
        assert await database.fetchval("SELECT current_user::text") == "service"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute("DELETE FROM points")


async def test_the_audit_runs_the_checks_of_the_service_beside_ours(shop: WithPoints) -> None:
    await shop.says("audit")
    await in_points(shop, "INSERT INTO points VALUES ('mallory', -1)")
    try:
        said = await shop.refuses("audit")
    finally:
        await in_points(shop, "DELETE FROM points WHERE user_id = 'mallory'")
    for promise in ("nobody owes any", "never negative", "none forgotten"):
        assert promise in said
    assert "points_negative points of mallory: -1; should be: never negative\nFaults: 1.\n" in said


async def test_a_message_that_the_service_cannot_handle_waits_for_a_replay_and_health_tells(
    shop: WithPoints, http: Http
) -> None:
    """Nothing is declared for that but the name that health has for it."""
    store = Store.at_the_gateway(http, shop)
    user = await store.open_account(funds="10.00")
    await in_points(shop, f"ALTER TABLE points ADD CONSTRAINT broken CHECK (user_id <> '{user}')")
    order = await store.decided((await store.placed(user, "10.00"))["id"])
    assert order["status"] == "FINISHED"
    await eventually(partial(is_ready, http, shop.urls["points"], degraded=["parked"]))

    (parked,) = json.loads(await shop.says("dead-letters", "list", "--json"))["messages"]
    assert (parked["service"], parked["reason"]) == ("points", "internal_error")
    assert parked["subject"] == order["id"]
    await in_points(shop, "ALTER TABLE points DROP CONSTRAINT broken")
    replay = await shop.says("dead-letters", "replay", "--service", "points", parked["id"])
    assert replay == "Handed back to their service: 1\n"

    await eventually(partial(has_points, shop, http, user, PER_PAYMENT))
    await eventually(partial(is_ready, http, shop.urls["points"], degraded=[]))


async def test_a_parked_message_of_the_service_is_discarded_with_a_record(shop: WithPoints) -> None:
    await in_points(shop, "INSERT INTO parked_messages VALUES ('t', 's', 'odd', '', 'x', 1, now(), now())")
    discard = await shop.says("dead-letters", "discard", "--reason", "odd", "--yes", "--note", "a test")
    assert discard == "Discarded: 1\n"
    async with connected(database_of(shop)) as database:
        assert await database.fetchval("SELECT note FROM discarded_messages WHERE reason = 'odd'") == "a test"


async def test_the_gateway_joins_the_operators_lists_of_the_service_with_ours(
    shop: WithPoints, http: Http
) -> None:
    ops = f"{shop.gateway}/ops"
    everybody = {"orders", "payments", "points"}
    overview = expect(200, await http.get(f"{ops}/overview"))
    assert {one["service"] for one in overview["services"]} == everybody
    assert overview["unknown"] == []
    consumers = expect(200, await http.get(f"{ops}/consumers"))["consumers"]
    assert {one["service"] for one in consumers} == everybody

    note = {"note": "too many points"}
    assert expect(200, await http.post(f"{ops}/consumers/points/pause", note))["paused"] is not None
    try:
        await eventually(partial(is_ready, http, shop.urls["points"], degraded=["paused"]))
    finally:
        expect(200, await http.post(f"{ops}/consumers/points/resume"))
    acts = expect(200, await http.get(f"{ops}/record"))["acts"]
    assert ("points", "pause_consumer") in [(act["service"], act["did"]) for act in acts]

    await in_points(shop, "INSERT INTO parked_messages VALUES ('t', 's', 'odd', '', 'x', 1, now(), now())")
    (parked,) = expect(200, await http.get(f"{ops}/parked"))["messages"]
    assert (parked["service"], parked["reason"]) == ("points", "odd")
    done = await http.post(f"{ops}/parked/{parked['id']}/discard", {"note": "a test"})
    assert done.status in (200, 202), done

    async def nothing_is_parked() -> bool:
        return bool(expect(200, await http.get(f"{ops}/parked"))["messages"] == [])

    await eventually(nothing_is_parked)


async def test_the_settings_of_the_service_are_read_as_ours_are(shop: WithPoints) -> None:
    wrong = await shop.refuses("migrate", "points", POINTS_PER_PAYMENT="many")
    assert wrong == "Error: POINTS_PER_PAYMENT must be a whole number from 1 to 1000000\n"


async def test_a_service_that_cannot_be_loaded_is_named_in_one_line(shop: WithPoints, tmp_path: Path) -> None:
    (information := tmp_path / "broken-1.0.dist-info").mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[shop.services]\nbroken = broken.service:SERVICE\n")
    for command in ("--help", "audit"):
        said = await shop.refuses(command, PYTHONPATH=str(tmp_path))
        assert said == "Error: the service broken (broken.service:SERVICE): No module named 'broken'\n"
