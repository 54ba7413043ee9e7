"""Errors as problems: each kind has a status, each code a title."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kernel.domain.errors
from kernel.adapters.http.codes import CODE_OF_STATUS, STATUS_OF_CODE, STATUS_OF_KIND, TITLES
from kernel.adapters.http.problem import problem_of, status_of
from kernel.domain.errors import (
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    ShopError,
    Unavailable,
)

SRC = Path(kernel.domain.errors.__file__).parents[2]
KINDS = {kind.__name__ for kind in STATUS_OF_KIND}
# They end a start, hold up a relay, or become the reason of an order: no caller is told them as a problem.
NEVER_ANSWERED = {
    "schema",
    "migration_failed",
    "lock_not_given",
    "telemetry",
    "rabbitmq_unavailable",
    "consumer_unavailable",
    "currency_mismatch",
    "message_not_found",
}


def words(node: ast.AST) -> Iterator[str]:
    """The constants of an expression that look like codes."""
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and re.fullmatch("[a-z_]+", part.value)
        ):
            yield part.value


def _is_word(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant)


def codes_in(tree: ast.AST) -> Iterator[str]:
    """What is given as the code of an error, or named as the problem of a route."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"NotFound", "Conflict", "Refused"} or (name == "__init__" and _is_word(node.args)):
            yield from words(node.args[0])
        if name == "problems":
            for argument in node.args:
                yield from words(argument)
        for keyword in node.keywords:
            if keyword.arg == "code" and name in KINDS:
                yield from words(keyword.value)


def codes_of_the_source() -> dict[str, str]:
    """Each code with a file that uses it."""
    return {
        code: str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        for code in codes_in(ast.parse(path.read_text()))
    }


def test_the_source_is_searched_well_enough_to_find_codes_of_every_form() -> None:
    found = codes_of_the_source()
    assert {
        "account_exists",
        "insufficient_funds",
        "database_unavailable",
        "not_ready",
        "unsupported_media_type",
    } <= set(found)


def test_every_code_that_a_caller_can_be_told_has_a_title() -> None:
    untitled = {code: path for code, path in codes_of_the_source().items() if code not in TITLES}
    assert set(untitled) == NEVER_ANSWERED, untitled
    assert {*STATUS_OF_CODE, *CODE_OF_STATUS.values()} <= set(TITLES)


def test_every_kind_of_error_has_a_status() -> None:
    kinds = {
        kind
        for kind in vars(kernel.domain.errors).values()
        if isinstance(kind, type) and issubclass(kind, ShopError)
    }
    assert set(STATUS_OF_KIND) == kinds - {ShopError}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid.field("amount", "must be a number"), 400),
        (Invalid("the body must be JSON", code="unsupported_media_type"), 415),
        (NotFound("order_not_found", ""), 404),
        (Conflict("account_exists", ""), 409),
        (Refused("account_not_found", ""), 422),
        (NotFound("account_not_found", ""), 404),
        (Refused("insufficient_funds", ""), 402),
        (Refused("balance_limit", ""), 422),
        (Refused("idempotency_key_reused", ""), 422),
        (Unavailable("", code="overloaded"), 503),
        (OutcomeUnknown(""), 504),
    ],
)
def test_the_status_follows_the_kind_and_for_some_codes_the_code(error: ShopError, status: int) -> None:
    problem = problem_of(error, "/orders")
    assert (problem.status, status_of(error)) == (status, status)
    assert problem.code == error.code
    assert problem.type.endswith(error.code)
    assert problem.title == TITLES[error.code]


def test_a_problem_names_the_fields_that_are_to_blame() -> None:
    error = Invalid("two mistakes", FieldError("userId", "is required"), FieldError("amount", "is unknown"))
    problem = problem_of(error, "/orders")
    assert [(item.field, item.message) for item in problem.errors] == [
        ("userId", "is required"),
        ("amount", "is unknown"),
    ]
    assert (problem.detail, problem.instance) == ("two mistakes", "/orders")


def test_of_an_unexpected_error_a_caller_learns_nothing(caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(ValueError("password=secret"), "/orders")
    assert (problem.status, problem.code) == (500, "internal_error")
    assert "secret" not in repr(problem)
    assert "unexpected error" in caplog.text


def test_a_refusal_with_a_code_that_is_not_known_here_is_still_a_refusal() -> None:
    problem = problem_of(Refused("account_frozen", "the account is frozen"), "/orders")
    assert (problem.status, problem.code) == (422, "account_frozen")
