"""The documents that the services publish: valid, true to their own examples, and the same as the files."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from shop.cli import cli
from shop.documents import documents
from shop.services import OURS
from tests.catalog import CATALOG

DOCS = Path(__file__).parents[3] / "docs"
OPENAPI = ["openapi/gateway.json", "openapi/orders.json", "openapi/payments.json"]
ASYNCAPI = ["asyncapi/orders.json", "asyncapi/payments.json"]


@cache
def files() -> dict[str, Any]:
    return {path.as_posix(): json.loads(text) for path, text in documents(OURS)}


def shop_openapi(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["openapi", *map(str, arguments)])


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(inner)


def resolve(document: Any, reference: str) -> Any:
    for name in reference.removeprefix("#/").split("/"):
        document = document[name]
    return document


def operations(document: Any) -> dict[str, Any]:
    found = [operation for path in document["paths"].values() for operation in path.values()]
    by_id = {operation["operationId"]: operation for operation in found}
    assert len(by_id) == len(found)
    return by_id


def require_valid(document: Any, schema: Any, example: Any) -> None:
    """Against a schema whose references are into the document."""
    whole = {**schema, "components": document["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(example)] == [], example


def test_three_services_are_documented_and_two_send_messages() -> None:
    assert sorted(files()) == sorted(OPENAPI + ASYNCAPI)


def test_the_files_in_docs_are_what_the_services_say() -> None:
    outcome = shop_openapi("--out", DOCS, "--check")
    assert (outcome.exit_code, outcome.output) == (0, ""), "`make docs` writes them anew"


def test_a_file_that_is_out_of_date_is_named_and_written_anew(tmp_path: Path) -> None:
    assert shop_openapi("--out", tmp_path).exit_code == 0
    edited, missing = tmp_path / "openapi" / "orders.json", tmp_path / "asyncapi" / "payments.json"
    before = [path.read_text() for path in (edited, missing)]
    edited.write_text(edited.read_text().replace("Orders", "Order"))
    missing.unlink()
    outcome = shop_openapi("--out", tmp_path, "--check", "--json")
    assert outcome.exit_code == 1
    assert json.loads(outcome.output) == {"stale": [str(edited), str(missing)]}
    assert shop_openapi("--out", tmp_path).exit_code == 0
    assert [path.read_text() for path in (edited, missing)] == before


@pytest.mark.parametrize("path", OPENAPI)
def test_every_document_is_valid_openapi_3_1(path: str) -> None:
    assert files()[path]["openapi"].startswith("3.1.")
    assert [str(error) for error in OpenAPIV31SpecValidator(files()[path]).iter_errors()] == []


@pytest.mark.parametrize("path", [*OPENAPI, *ASYNCAPI])
def test_every_reference_leads_somewhere(path: str) -> None:
    references = [part["$ref"] for part in parts(files()[path]) if "$ref" in part]
    assert references
    for reference in references:
        assert resolve(files()[path], reference), reference


@pytest.mark.parametrize("path", OPENAPI)
def test_every_example_is_what_its_schema_allows(path: str) -> None:
    count = 0
    for part in parts(files()[path]):
        examples = [part["example"]] if "example" in part else []
        examples += [example["value"] for example in part.get("examples", {}).values()]
        for example in examples:
            require_valid(files()[path], part["schema"], example)
        count += len(examples)
    assert count > 20


@pytest.mark.parametrize("path", OPENAPI)
def test_every_link_leads_to_an_operation_that_takes_its_parameters(path: str) -> None:
    offered = operations(files()[path])
    links = [link for part in parts(files()[path]) for link in part.get("links", {}).values()]
    assert links
    for link in links:
        taken = {parameter["name"] for parameter in offered[link["operationId"]].get("parameters", [])}
        assert set(link.get("parameters", {})) <= taken
        assert ("requestBody" in link) <= ("requestBody" in offered[link["operationId"]])


@pytest.mark.parametrize("path", OPENAPI)
def test_a_body_that_is_sent_takes_no_other_fields_and_no_parameter_takes_null(path: str) -> None:
    document = files()[path]
    for operation in operations(document).values():
        for parameter in operation.get("parameters", []):
            assert isinstance(parameter["schema"]["type"], str), parameter
        for part in parts(operation.get("requestBody", {})):
            if "$ref" in part:
                assert resolve(document, part["$ref"])["additionalProperties"] is False


@pytest.mark.parametrize("name", ["Account", "Deposited", "Order", "Transaction"])
def test_money_is_answered_as_a_number(name: str) -> None:
    fields = files()["openapi/gateway.json"]["components"]["schemas"][name]["properties"]
    money = [schema for field, schema in fields.items() if field in ("amount", "balance", "balanceAfter")]
    assert money
    assert all(schema["type"] == "number" for schema in money)


# Streams, browsers, and what is joined of several services, are the gateway's alone.
GATEWAYS_OWN = {
    *("watchOrder", "getSession", "beginSession", "endSession", "signIn", "finishSignIn"),
    *("readRecord", "explainOrder", "readParked", "readParkedGroups"),
    *("readConsumers", "readOverview"),
}


def test_the_gateway_and_its_services_offer_the_same_operations() -> None:
    gateway, orders, payments = (set(operations(files()[path])) for path in OPENAPI)
    assert gateway >= GATEWAYS_OWN
    assert orders | payments >= gateway - GATEWAYS_OWN


@pytest.mark.parametrize("path", ASYNCAPI)
def test_every_message_of_the_catalogue_is_documented_by_who_sends_and_who_receives_it(path: str) -> None:
    document, service = files()[path], Path(path).stem
    assert document["asyncapi"] == "3.0.0"
    found = {
        (operation["action"], resolve(document, operation["channel"]["$ref"])["address"])
        for operation in document["operations"].values()
    }
    messaging = CATALOG.of(service)
    sent = {("send", name) for name in messaging.sends}
    assert found == sent | {("receive", name) for name in messaging.subscribes}


@pytest.mark.parametrize("path", ASYNCAPI)
def test_every_example_of_a_message_is_what_its_schema_allows(path: str) -> None:
    for message in files()[path]["components"]["messages"].values():
        (example,) = message["examples"]
        require_valid(files()[path], message["payload"], example["payload"])
