"""Turns every error into an application/problem+json answer (RFC 9457)."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter, PathParameter
from litestar.types import ExceptionHandlersMap

from kernel.adapters.http.conventions.answers import passed_on
from kernel.adapters.http.conventions.by_head import allowed
from kernel.adapters.http.conventions.codes import CODE_OF_STATUS, DETAILS, STATUS_OF_KIND
from kernel.adapters.http.conventions.headers import (
    CHALLENGE,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    RETRY_AFTER,
)
from kernel.adapters.http.conventions.idempotency import MALFORMED
from kernel.adapters.http.parsing.query import fault, query_faults
from kernel.contracts.http import FieldProblem, Problem
from kernel.contracts.problems import COMMON, Problems
from kernel.contracts.values import encode
from kernel.domain.errors import FieldError, Invalid, RateLimited, ShopError, Unauthenticated, Unavailable
from kernel.ports.http_answer import HttpAnswer

MEDIA_TYPE = "application/problem+json"
_BEARER = 'Bearer realm="shop"'

# Matches the framework's texts about a missing parameter.
_MISSING = re.compile(r"Missing required (?:query parameter|header parameter '(?P<header>[^']+)')")

logger = logging.getLogger(__name__)


def problem_of(error: Exception, instance: str, known: Problems = COMMON) -> Problem:
    """The problem that a caller gets for this error. `instance` comes from `instance_of`. The text of an
    unexpected error is logged, and is not part of the problem."""
    if not isinstance(error, ShopError):
        logger.error("unexpected error", exc_info=error, extra={"path": instance})
        return _problem(500, "internal_error", "the error was logged", instance, [])
    errors = error.errors if isinstance(error, Invalid) else ()
    status = known.statuses.get(error.code) or STATUS_OF_KIND[type(error)]
    return _problem(status, error.code, error.detail, instance, errors, known)


def instance_of(scope: Mapping[str, Any]) -> str:
    """The path of the call as the client sent it, as a URI reference (RFC 3986)."""
    sent = scope.get("raw_path") or scope["path"]  # ASGI allows a server to omit `raw_path`.
    return quote(sent, safe="/:@!$&'()*+,;=%~")


def error_answer(error: Exception, instance: str, known: Problems = COMMON) -> HttpAnswer:
    return _encoded(problem_of(error, instance, known), _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case Unavailable():
            return {RETRY_AFTER: str(error.retry_after_s)}
        case RateLimited():
            # No call is left until Retry-After has passed (draft-ietf-httpapi-ratelimit-headers-11).
            policy, wait_s = f'"{error.policy}"', error.retry_after_s
            return {
                RETRY_AFTER: str(wait_s),
                RATE_LIMIT: f"{policy};r=0;t={wait_s}",
                RATE_LIMIT_POLICY: f"{policy};q={error.quota};w={error.window_s}",
            }
        case Unauthenticated():
            # If the call had no token, the challenge names no error (RFC 6750, section 3).
            return {CHALLENGE: _BEARER + (', error="invalid_token"' if error.with_token else "")}
    return {}


def refused_answer(status: int, code: str, detail: str) -> HttpAnswer:
    """The server's own problem answer. Its `instance` is `/`, because the request's path may be unknown."""
    headers = {RETRY_AFTER: "1"} if status == 503 else {}
    return _encoded(_problem(status, code, detail, "/", []), headers)


def _encoded(problem: Problem, headers: dict[str, str]) -> HttpAnswer:
    return HttpAnswer(problem.status, MEDIA_TYPE, headers, encode(problem))


def _problem(
    status: int, code: str, detail: str, instance: str, errors: Sequence[FieldError], known: Problems = COMMON
) -> Problem:
    fields = [FieldProblem(error.field, error.message) for error in errors]
    title = known.titles.get(code, code)
    return Problem(f"urn:shop:problem:{code}", title, status, detail, instance, code, fields)


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answers the framework's errors: unknown routes, wrong methods, large bodies and bad parameters."""
    errors = _faults(request, error)
    code = CODE_OF_STATUS.get(error.status_code, "invalid_request")
    if code == "body_too_large":
        errors = [FieldError("body", "is too large")]
    detail = "; ".join(f"{item.field}: {item.message}" for item in errors)
    detail = detail or DETAILS.get(code, COMMON.titles[code])
    problem = _problem(error.status_code, code, detail, instance_of(request.scope), errors)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if "allow" in headers:
        headers["allow"] = allowed(headers["allow"], request.scope)
    return passed_on(_encoded(problem, headers))


def _faults(request: Request[Any, Any, Any], error: HTTPException) -> list[FieldError]:
    """The framework's errors as field errors in our words, and all faults of the query, if there are any."""
    extra = error.extra if isinstance(error.extra, list) else []
    names = [item["key"] for item in extra if "key" in item]
    missing = _MISSING.match(error.detail)
    if not names and not missing:
        return []
    if missing and missing["header"]:
        return [FieldError(missing["header"], "is required")]
    # The framework reports a body only if it is missing.
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


def exception_handlers(known: Problems = COMMON) -> ExceptionHandlersMap:
    def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        return passed_on(error_answer(error, instance_of(request.scope), known))

    return {HTTPException: _on_http_error, Exception: on_error}


def problems(known: Problems, *statuses_and_codes: tuple[int, str]) -> dict[int, ResponseSpec]:
    """The problem answers of an operation for OpenAPI, by status. Several codes may share a status."""
    by_status: dict[int, list[str]] = {}
    for status, code in statuses_and_codes:
        by_status.setdefault(status, []).append(code)
    return {
        status: ResponseSpec(
            Problem,
            media_type=MEDIA_TYPE,
            generate_examples=False,
            description=", ".join(codes),
            examples=[_example(status, code, known) for code in codes],
        )
        for status, codes in by_status.items()
    }


def _example(status: int, code: str, known: Problems) -> Example:
    problem = _problem(status, code, known.titles[code], "/", [], known)
    return Example(id=code, summary=problem.title, value=msgspec.to_builtins(problem))
