"""Errors as problems: each kind has a status, each code a title."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import kernel.domain.errors
from gateway.adapters.inbound import answers
from kernel.adapters.http.conventions.codes import CODE_OF_STATUS, STATUS_OF_KIND
from kernel.adapters.http.conventions.problem import problem_of
from kernel.contracts.problems import COMMON, Problems
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
from orders.contract import problems as of_orders
from payments.contract import problems as of_payments

SRC = Path(kernel.domain.errors.__file__).parents[2]
KINDS = {kind.__name__ for kind in STATUS_OF_KIND}
DECLARED = {
    "kernel": COMMON,
    "orders": of_orders.PROBLEMS,
    "payments": of_payments.PROBLEMS,
    "gateway": answers.PROBLEMS,
    "shop": COMMON,
}
# They end a start, hold up a relay, or become the reason of an order: no caller is told them as a problem.
NEVER_ANSWERED = {
    ("kernel", "schema"),
    ("kernel", "migration_failed"),
    ("kernel", "lock_not_given"),
    ("kernel", "telemetry"),
    ("kernel", "rabbitmq_unavailable"),
    ("payments", "user_differs"),
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
    """The codes that this source gives to errors, or names as problems of a route."""
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


def codes_of_the_source() -> set[tuple[str, str]]:
    """Each code with a package that uses it."""
    return {
        (path.relative_to(SRC).parts[0], code)
        for path in SRC.rglob("*.py")
        for code in codes_in(ast.parse(path.read_text()))
    }


def test_the_source_is_searched_well_enough_to_find_codes_of_every_form() -> None:
    assert {
        ("payments", "account_exists"),
        ("orders", "insufficient_funds"),
        ("kernel", "database_unavailable"),
        ("kernel", "not_ready"),
        ("kernel", "unsupported_media_type"),
    } <= codes_of_the_source()


def test_every_code_that_a_caller_can_be_told_has_a_title_where_it_is_told() -> None:
    untitled = {
        (package, code) for package, code in codes_of_the_source() if code not in DECLARED[package].titles
    }
    assert untitled == NEVER_ANSWERED
    assert all(problems.statuses.keys() <= problems.titles.keys() for problems in DECLARED.values())
    assert set(CODE_OF_STATUS.values()) <= set(COMMON.titles)


def test_one_code_cannot_be_declared_with_two_titles_or_two_statuses() -> None:
    lost = Problems({"lost": "It is lost"}, {"lost": 410})
    assert lost | Problems({"lost": "It is lost"}) == lost
    with pytest.raises(ValueError, match="lost is 'It is lost' and 'It is gone'"):
        _ = lost | Problems({"lost": "It is gone"})
    with pytest.raises(ValueError, match="lost is 410 and 404"):
        _ = lost | Problems({}, {"lost": 404})


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
    problem = problem_of(error, "/orders", answers.PROBLEMS)
    assert problem.status == status
    assert problem.code == error.code
    assert problem.type.endswith(error.code)
    assert problem.title == answers.PROBLEMS.titles[error.code]


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
