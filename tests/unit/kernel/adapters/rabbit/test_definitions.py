"""Who may do what at the broker: made of what services declare, and no more than that."""

import json
import os
import re
import subprocess

import msgspec
import pytest
from click.testing import CliRunner

from kernel.adapters.rabbit.definitions import OPERATOR, definitions, password_variable
from kernel.adapters.rabbit.topology import EXCHANGE
from kernel.contracts.messaging import Catalog, Messaging
from shop.cli import cli
from tests.catalog import CATALOG
from tests.servers.rabbitmq import DEFINITIONS

SOLD, TOLD = "shop.a.sold.v1", "shop.a.told.v1"


class SoldV1(msgspec.Struct, frozen=True):
    number: int


A = Messaging(service="a", publishes={SOLD: SoldV1}, notifies={TOLD: SoldV1})
B = Messaging(service="b-2", subscribes=[SOLD], listens=[TOLD])
SILENT = Messaging(service="silent")
MADE = definitions(Catalog([A, B, SILENT]))
NAMES = ["", "amq.default", "amq.topic", EXCHANGE.name, "a", "b-2", "b-2.dead-letters", f"b-2-{'0f' * 16}"]
NAMES += ["xb-2", "b-2x", "b-2-", "shopxevents", f"a-{'0f' * 16}"]


def allowed(right: str, user: str, names: list[str], kind: str = "permissions") -> set[str]:
    (rights,) = (one for one in MADE[kind] if one["user"] == user)
    return {name for name in names if name and re.search(rights[right], name)}


def test_a_user_that_publishes_writes_to_the_exchange_and_declares_nothing() -> None:
    assert allowed("write", "a", NAMES) == {EXCHANGE.name}
    assert allowed("configure", "a", NAMES) == set()
    assert allowed("read", "a", NAMES) == set()


def test_a_user_that_consumes_reads_its_own_queues_and_declares_only_those_of_its_processes() -> None:
    listening = f"b-2-{'0f' * 16}"
    assert allowed("read", "b-2", NAMES) == {"b-2", "b-2.dead-letters", EXCHANGE.name, listening}
    assert allowed("configure", "b-2", NAMES) == allowed("write", "b-2", NAMES) == {listening}


def test_a_type_is_written_by_its_publisher_and_a_notification_heard_by_who_listens() -> None:
    types = [SOLD, TOLD, "shop.a.sold.v11", "shop.axsold.v1", "xshop.a.sold.v1"]
    assert allowed("write", "a", types, "topic_permissions") == {SOLD, TOLD}
    assert allowed("write", "b-2", types, "topic_permissions") == set()
    assert allowed("read", "b-2", types, "topic_permissions") == {TOLD}


def test_a_service_that_publishes_and_consumes_nothing_has_no_user() -> None:
    assert {user["name"] for user in MADE["users"]} == {OPERATOR, "a", "b-2"}
    assert password_variable("b-2") == "B_2_RABBITMQ_PASSWORD"


def test_no_service_of_ours_may_write_to_the_default_exchange_or_declare_where_its_words_go() -> None:
    """A queue's dead letters go to an exchange under any routing key, whatever topics its owner may write."""
    for rights in definitions(CATALOG)["permissions"]:
        if rights["user"] != OPERATOR:
            assert not re.search(rights["write"], "amq.default"), rights
            assert rights["configure"] == "^$" or not re.search(rights["write"], EXCHANGE.name), rights


def test_the_definitions_that_operators_load_are_those_of_the_code() -> None:
    """`make docs` writes them."""
    printed = CliRunner().invoke(cli, ["broker", "definitions"])
    assert printed.exit_code == 0
    assert (DEFINITIONS / "definitions.json").read_text() == printed.stdout


def with_passwords(passwords: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(DEFINITIONS / "definitions.sh")]
    environment = {"PATH": os.environ["PATH"], **passwords}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


USERS = [user["name"] for user in definitions(CATALOG)["users"]]
PASSWORDS = {password_variable(user): f"Of.{user}_~-9" for user in USERS}


def test_the_script_puts_each_password_where_it_belongs_and_changes_nothing_else() -> None:
    made = definitions(CATALOG)
    for user in made["users"]:
        del user["password_hash"]
        user["password"] = PASSWORDS[password_variable(user["name"])]
    written = with_passwords(PASSWORDS)
    assert (written.returncode, written.stderr) == (0, "")
    assert json.loads(written.stdout) == made


@pytest.mark.parametrize("wrong", ["", 'a"b', "a/b", "a&b", "a\\b", "a b", "a\nb", "$HOME", "пароль"])
def test_a_password_that_is_missing_or_no_part_of_a_url_is_refused_in_one_line(wrong: str) -> None:
    refused = with_passwords(PASSWORDS | {"ORDERS_RABBITMQ_PASSWORD": wrong})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(r"ORDERS_RABBITMQ_PASSWORD must be set; .*\n", refused.stderr)
    assert not wrong or wrong not in refused.stderr
