"""Every error leaves as application/problem+json (RFC 9457)."""

import logging
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, PathParameter
from litestar.types import ExceptionHandlersMap

from kernel.adapters.http.codes import CODE_OF_STATUS, DETAILS, STATUS_OF_CODE, STATUS_OF_KIND, TITLES
from kernel.adapters.http.head import allowed
from kernel.adapters.http.idempotency import MALFORMED
from kernel.adapters.http.query import fault, query_faults
from kernel.contracts.http import FieldProblem, Problem
from kernel.contracts.values import encode
from kernel.domain.errors import (
    FieldError,
    Invalid,
    ShopError,
    Unavailable,
)
from kernel.ports.answer import Answer

MEDIA_TYPE = "application/problem+json"

# All that the framework says about a parameter that is not there.
_MISSING = re.compile(r"Missing required query parameter '")

logger = logging.getLogger(__name__)


def status_of(error: ShopError) -> int:
    return STATUS_OF_CODE.get(error.code) or STATUS_OF_KIND[type(error)]


def problem_of(error: Exception, instance: str) -> Problem:
    """What a caller is told; `instance` is the path of the call. The unexpected is only logged."""
    if not isinstance(error, ShopError):
        logger.error("unexpected error", exc_info=error, extra={"path": instance})
        return _problem(500, "internal_error", "the error was logged", instance, [])
    errors = error.errors if isinstance(error, Invalid) else ()
    return _problem(status_of(error), error.code, error.detail, instance, errors)


def error_answer(error: Exception, instance: str) -> Answer:
    problem = problem_of(error, instance)
    return Answer(problem.status, MEDIA_TYPE, retry_after(error), encode(problem))


def refused_answer(status: int, code: str, detail: str) -> Answer:
    """The answer to a request whose path may be unknown."""
    headers = {"Retry-After": "1"} if status == 503 else {}
    return Answer(status, MEDIA_TYPE, headers, encode(_problem(status, code, detail, "/", [])))


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers or {})


def _problem(status: int, code: str, detail: str, instance: str, errors: Sequence[FieldError]) -> Problem:
    fields = [FieldProblem(error.field, error.message) for error in errors]
    return Problem(f"urn:shop:problem:{code}", TITLES.get(code, code), status, detail, instance, code, fields)


def retry_after(error: Exception) -> dict[str, str]:
    """The header of the answer, where it may help to ask again."""
    return {"Retry-After": str(error.retry_after_s)} if isinstance(error, Unavailable) else {}


def _on_shop_error(request: Request[Any, Any, Any], error: ShopError) -> Response[bytes]:
    return answer(problem_of(error, _instance(request)), retry_after(error))


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Errors that the framework finds: routes, methods, sizes, and parameters of path, query and header."""
    errors = _faults(request, error)
    code = CODE_OF_STATUS.get(error.status_code, "invalid_request")
    if code == "body_too_large":
        errors = [FieldError("body", "is too large")]
    detail = "; ".join(f"{item.field}: {item.message}" for item in errors) or DETAILS.get(code, TITLES[code])
    problem = _problem(error.status_code, code, detail, _instance(request), errors)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if "allow" in headers:
        headers["allow"] = allowed(headers["allow"], request.scope)
    return answer(problem, headers)


def _faults(request: Request[Any, Any, Any], error: HTTPException) -> list[FieldError]:
    """What the framework found, in our words, and all that is wrong with the query."""
    extra = error.extra if isinstance(error.extra, list) else []
    names = [item["key"] for item in extra if "key" in item]
    if not names and not _MISSING.match(error.detail):
        return []
    # What the framework says of a body is only ever that it is empty.
    errors = [FieldError("body", "is required")] if "data" in names else []
    parameters = request.route_handler.parsed_fn_signature.parameters
    for field in [parameters[name] for name in names if name in parameters]:
        definition = field.kwarg_definition
        if isinstance(definition, HeaderParameter):  # Only idempotency keys have bounds.
            errors.append(FieldError(definition.name or "", MALFORMED))
        elif isinstance(definition, PathParameter):
            name = definition.name or ""
            errors.append(FieldError(name, fault(field, str(request.path_params[name]))))
    return errors + query_faults(request)


def _instance(request: Request[Any, Any, Any]) -> str:
    """The path of the call as it was sent, which is a URI reference (RFC 3986)."""
    return quote(request.scope["raw_path"], safe="/:@!$&'()*+,;=%~")


def _on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return answer(problem_of(error, _instance(request)))


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    ShopError: _on_shop_error,
    HTTPException: _on_http_error,
    Exception: _on_any_error,
}


def problems(*statuses_and_codes: tuple[int, str]) -> dict[int, ResponseSpec]:
    """The problem answers of a route, for its OpenAPI operation; several codes may share a status."""
    by_status: dict[int, list[str]] = {}
    for status, code in statuses_and_codes:
        by_status.setdefault(status, []).append(code)
    return {
        status: ResponseSpec(
            Problem,
            media_type=MEDIA_TYPE,
            generate_examples=False,
            description=", ".join(codes),
            examples=[Example(id=code, summary=TITLES[code], value=_example(status, code)) for code in codes],
        )
        for status, codes in by_status.items()
    }


def _example(status: int, code: str) -> dict[str, Any]:
    return {
        "type": f"urn:shop:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "detail": TITLES[code],
        "instance": "/",
        "code": code,
    }
