"""`SHOP_AUTH=jwt shop up` needs nothing else, and `shop token` prints what it accepts."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.markdown import blocks
from tests.servers.shop import Embedded
from tests.spec.scenario import Headers, Http, expect, expect_problem


@pytest.fixture(scope="module")
async def guarded_up(scratch: Path) -> AsyncIterator[Embedded]:
    shop = Embedded(scratch / "guarded-up")
    shop.settings["SHOP_AUTH"] = "jwt"
    shop.processes["up"] = shop.process("up", ready_at=shop.urls.values())
    async with shop:
        yield shop


async def token(shop: Embedded, user: str, *options: str) -> str:
    return (await shop.says("token", "--user", user, *options)).strip()


async def bearer(shop: Embedded, user: str, *options: str) -> Headers:
    return [("Authorization", f"Bearer {await token(shop, user, *options)}")]


async def shell(shop: Embedded, script: str) -> str:
    """What the commands of a page print, at this shop."""
    script = script.replace("localhost:5003", shop.gateway.removeprefix("http://"))
    script = script.replace(".venv/bin/shop", f"{sys.executable} -P -m shop")
    played = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-ec", script.replace("curl ", "curl -sS -w '\\n' ")],
        env=os.environ | shop.settings,
        cwd=shop.directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return played.stdout


async def test_a_token_of_the_console_opens_an_account_and_no_other(guarded_up: Embedded, http: Http) -> None:
    accounts = f"{guarded_up.gateway}/accounts"
    expect_problem(await http.post(accounts, {"userId": "alice"}), 401, code="unauthorized")
    bearing = await bearer(guarded_up, "alice")
    assert expect(201, await http.post(accounts, {"userId": "alice"}, bearing))["userId"] == "alice"
    expect_problem(await http.post(accounts, {"userId": "bob"}, bearing), 403, code="forbidden")
    viewing = await bearer(guarded_up, "vera", "--viewer", "--minutes", "1")
    assert expect(200, await http.get(f"{accounts}/alice", viewing))["userId"] == "alice"


async def test_the_recipe_goes_from_nothing_to_a_token_that_works(guarded_up: Embedded) -> None:
    recipe = (Path(__file__).parents[3] / "docs/recipes/securing.md").read_text()
    start, script, _, page = re.findall(r"```sh\n(.*?)```", recipe, re.DOTALL)[:4]
    assert start == "SHOP_AUTH=jwt make run\n"
    script += page
    assert script.count("curl ") == script.count("localhost:5003") == 9
    *answers, signed_out = (await shell(guarded_up, script.replace("alice", "carol"))).splitlines()
    opened, paid_in, to_bob, to_olga, *with_cookie = map(json.loads, answers)
    assert opened["userId"] == paid_in["userId"] == to_olga["userId"] == "carol"
    assert paid_in["balance"] == to_olga["balance"] == 100
    assert to_bob["code"] == "account_not_found"
    signed_in, still_in, account, order = with_cookie
    assert signed_in == still_in
    assert account["userId"] == order["userId"] == signed_in["session"]["userId"] == "carol"
    assert signed_out == ""


async def test_the_readmes_sign_in_as_they_say(guarded_up: Embedded, http: Http) -> None:
    (script,) = {blocks(page, "sh")[1].text for page in ("README.md", "README.ru.md")}
    start, curl = script.splitlines()
    assert start == "SHOP_AUTH=jwt make run"
    bearing = await bearer(guarded_up, "dora")
    expect(201, await http.post(f"{guarded_up.gateway}/accounts", {"userId": "dora"}, bearing))
    assert json.loads(await shell(guarded_up, curl.replace("alice", "dora")))["userId"] == "dora"


async def test_the_demo_signs_its_own_token(guarded_up: Embedded) -> None:
    assert json.loads(await guarded_up.says("demo", "--json"))["holds"] is True
    operator = await token(guarded_up, "olga", "--operator")
    assert json.loads(await guarded_up.says("demo", "--json", SHOP_TOKEN=operator))["holds"] is True


async def test_a_demo_that_is_not_let_in_says_so_in_one_line(guarded_up: Embedded) -> None:
    for unfit, status in (("nonsense", 401), (await token(guarded_up, "alice"), 403)):
        demo = guarded_up.process("demo", SHOP_TOKEN=unfit)
        assert await demo.run(within=30) == 1
        (line,) = demo.stderr.strip().splitlines()
        assert line.startswith("Error: SHOP_TOKEN has to be an operator's")
        assert line.endswith(f"answers {status}")


async def test_shop_up_says_where_tokens_come_from(guarded_up: Embedded) -> None:
    assert re.search(r"tokens +`shop token --user alice`", guarded_up.processes["up"].stdout)


async def test_an_open_service_listens_on_this_machine_alone(embedded: Embedded) -> None:
    for host in ("0.0.0.0", "::"):
        process = embedded.process("serve", "gateway", BIND_HOST=host)
        assert await process.run(within=30) != 0
        (line,) = process.stderr.strip().splitlines()
        assert "BIND_HOST" in line
        assert "SHOP_OPEN_BEYOND_LOOPBACK=yes" in line
