"""The document of a service tells what the service declares: bodies, problems and links."""

import json
from typing import Annotated, Any

import pytest
from litestar import get, post
from litestar.params import PathParameter

from kernel.adapters.http.conventions.headers import answering_with
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.documents.operations import ALWAYS, Operation, answering, body, to
from kernel.adapters.http.parsing.body import JsonBody
from kernel.contracts.http import RequestBody, ResponseBody
from kernel.contracts.problems import COMMON, Problems
from kernel.contracts.values import Amount

PROBLEMS = COMMON | Problems({"parcel_too_heavy": "No van carries this parcel"})


class Send(RequestBody, frozen=True):
    fee: Amount


class Van(ResponseBody, frozen=True):
    plate: str


class Parcel(ResponseBody, frozen=True):
    id: str
    van: Van


FROM_PARCEL = to("readParcel", "sendParcel", "trackParcel", id="$response.body#/id")
SEND = Operation(
    operation_id="sendParcel",
    dto=JsonBody,
    operation_class=answering_with(links=FROM_PARCEL),
    responses=answering(201, Parcel, "Sent", {"id": "7", "van": {"plate": "A1"}})
    | problems(PROBLEMS, *ALWAYS, (422, "parcel_too_heavy")),
)


@post("/parcels", **SEND)
async def send(data: Annotated[Send, body({"fee": "1.00"})]) -> Parcel:
    return Parcel("7", Van("A1"))


@get("/parcels/{id:str}", operation_id="readParcel")
async def read(number: Annotated[str, PathParameter(name="id")]) -> Parcel:
    return Parcel(number, Van("A1"))


@pytest.fixture(scope="module")
def document() -> Any:
    api = Api("Delivery", "Sends parcels.", {}, routes=[send, read], ui_path="/swagger", problems=PROBLEMS)
    return json.loads(api.openapi)


def test_the_document_holds_the_bodies_of_the_routes_and_what_is_within_them(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert {"Send", "Parcel", "Van"} <= set(schemas)
    assert schemas["Parcel"]["properties"]["van"] == {"$ref": "#/components/schemas/Van"}
    assert "oneOf" in schemas["Send"]["properties"]["fee"]


def test_the_document_holds_the_problems_of_an_operation_with_their_titles(document: Any) -> None:
    answers = document["paths"]["/parcels"]["post"]["responses"]
    (problem,) = answers["422"]["content"].values()
    assert problem["example"]["title"] == "No van carries this parcel"
    assert "errors" not in problem["example"]


def test_an_answer_leads_to_other_operations_of_the_same_document(document: Any) -> None:
    answers = document["paths"]["/parcels"]["post"]["responses"]
    assert answers["201"]["links"] == {
        "readParcel": {"operationId": "readParcel", "parameters": {"id": "$response.body#/id"}}
    }
    assert "links" not in answers["422"]
