"""Our changes to what schemathesis sends and checks; schemathesis.toml names this file."""

import json
import os
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import requests
import schemathesis


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """JSON Schema takes 5.0 for an integer, and the shop does not: no user's id has a point in it."""
    return _with_integers(body)


def _with_integers(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_integers(item) for item in part]
    if not isinstance(part, dict):
        return part
    user = part.get("userId")
    return part | {"userId": int(user)} if isinstance(user, float) and user.is_integer() else part


TOKENS = cycle(os.environ.get("SPEC_TOKENS", "").split(","))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Each request bears the next of these tokens; the empty one is none."""
    if token := next(TOKENS):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response
) -> None:
    """A consumer that was paused is resumed at once: everything else waits for decisions."""
    paused, _, rest = response.request.url.rpartition("/pause")
    if response.status_code == 200 and paused and not rest:
        headers = {name: text for name, text in case.headers.items() if name == "Authorization"}
        requests.post(f"{paused}/resume", headers=headers, timeout=10).raise_for_status()


@schemathesis.check
def every_property_is_documented(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A schema takes whatever an object holds beside its properties, as a later version may add some. What is
    answered now holds nothing beside them."""
    media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    document = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path][case.operation.method.lower()]
    answers = operation["responses"].get(str(response.status_code), {}).get("content", {})
    if media_type.endswith("json") and media_type in answers:
        found = list(_undocumented(answers[media_type]["schema"], json.loads(response.content), document))
        assert found == [], f"the document does not know {', '.join(found)}"


def _undocumented(schema: Any, part: Any, document: Any) -> Iterator[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        yield from min((list(_undocumented(choice, part, document)) for choice in choices), key=len)
    elif isinstance(part, list):
        for item in part:
            yield from _undocumented(schema.get("items", {}), item, document)
    elif isinstance(part, dict) and "properties" in schema:
        for name, value in part.items():
            if name not in schema["properties"]:
                yield name
            else:
                yield from _undocumented(schema["properties"][name], value, document)
