"""HTTP calls of a shop and checks of their answers, in the words of the specs."""

import asyncio
import io
import json
import re
import reprlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit
from uuid import UUID, uuid4

import aiohttp
from yarl import URL

ACCOUNT_FIELDS = {"userId", "balance", "currency", "createdAt"}
ORDER_FIELDS = {
    "id", "userId", "amount", "currency", "description", "status", "reason", "createdAt", "updatedAt",
}  # fmt: skip
PROBLEM_FIELDS = {"type", "title", "status", "detail", "instance", "code"}
KiB = 1024
ROWS_AT_ONCE = 8

Headers = Iterable[tuple[str, str]]

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """An answer of the shop; numbers with a point are read as Decimals, digit by digit."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def location(self) -> str:
        """The absolute URL that the Location header names."""
        return urljoin(self.url, self.headers["Location"])

    def __str__(self) -> str:
        return f"{self.status} {self.body[:1000].decode(errors='replace')}"


class Http:
    """An HTTP client that sends exactly what it is told: a str or bytes as they are, all else as JSON."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(
        self, method: str, url: str, body: Any = None, content_type: str | None = None, headers: Headers = ()
    ) -> Answer:
        """`url` is sent as it is written, percent signs and all."""
        if body is not None and not isinstance(body, str | bytes | AsyncIterator):
            body = json.dumps(body)
        if isinstance(body, str | bytes) and len(body) > 256 * KiB:
            body = io.BytesIO(body.encode() if isinstance(body, str) else body)  # aiohttp wants it so
        content = [] if body is None else [("Content-Type", content_type or "application/json")]
        async with self._session.request(
            method, URL(url, encoded=True), data=body, headers=[*content, *headers], allow_redirects=False
        ) as answer:
            return Answer(url, answer.status, answer.headers, await answer.read())

    async def get(self, url: str, headers: Headers = ()) -> Answer:
        return await self("GET", url, headers=headers)

    async def post(self, url: str, body: Any = None, headers: Headers = ()) -> Answer:
        return await self("POST", url, body, headers=headers)


def new_user() -> str:
    return f"user-{uuid4().hex}"


def expect(status: int, answer: Answer) -> Any:
    """The JSON of an answer that must have this status."""
    assert answer.status == status, f"{answer.url}: {answer}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    return answer.json


def expect_problem(
    answer: Answer,
    status: int | range = range(400, 500),
    *,
    code: str | None = None,
    field: str | None = None,
) -> None:
    """The answer is a problem of RFC 9457 as the contract wants it, and names the field to blame."""
    statuses = range(status, status + 1) if isinstance(status, int) else status
    assert answer.status in statuses, f"{answer.url}: {answer}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert_problem(answer.json, code=code, field=field)
    assert urlsplit(urljoin(answer.url, answer.json["instance"])).path == urlsplit(answer.url).path


def assert_problem(problem: Any, *, code: str | None = None, field: str | None = None) -> None:
    assert problem.keys() - {"errors"} == PROBLEM_FIELDS
    assert all(isinstance(problem[text], str) and problem[text] for text in PROBLEM_FIELDS - {"status"})
    assert re.fullmatch(r"[a-z][a-z0-9_]*", problem["code"])
    assert code in (None, problem["code"])
    errors = problem.get("errors", [])
    assert all(error.keys() == {"field", "message"} and error["message"] for error in errors)
    assert field is None or field in {error["field"] for error in errors}, f"{field} is not named: {problem}"


def next_page(page: Answer) -> str | None:
    """The absolute URL of the page after this one."""
    if "Link" not in page.headers:
        return None
    link = re.fullmatch(r'<([^<>]+)>; *rel="next"', page.headers["Link"])
    assert link, page.headers["Link"]
    return urljoin(page.url, link[1])


def money(value: Any) -> Decimal:
    """An amount as it must be written: a JSON number with two digits."""
    assert isinstance(value, Decimal), f"{value!r} is no JSON number with a point"
    assert value.as_tuple().exponent == -2, f"{value} has not two digits"
    return value


def moment(value: Any) -> datetime:
    """A time as it must be written: RFC 3339, UTC."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", value), value
    parsed = datetime.fromisoformat(value)
    assert parsed.utcoffset() == timedelta(0)
    return parsed


def assert_order(order: Any, **values: object) -> None:
    """The order has all fields, well formed, and these values. `payBy` is there if it is among them."""
    assert order.keys() == ORDER_FIELDS | (values.keys() & {"payBy"})
    assert UUID(order["id"]).version == 7
    assert str(UUID(order["id"])) == order["id"]
    money(order["amount"])
    assert moment(order["createdAt"]) <= moment(order["updatedAt"])
    assert {name: order[name] for name in values} == values


async def together(*calls: Any) -> list[Any]:
    """The outcomes of calls made at the same time."""
    return list(await asyncio.gather(*calls))


async def for_each(
    rows: Iterable[T], promise: Callable[[T], Awaitable[object]], *, at_once: int = ROWS_AT_ONCE
) -> None:
    """The promise is kept for every row of a table. Raises an error for each that is not, with its row."""
    permits = asyncio.Semaphore(at_once)
    errors: list[Exception] = []

    async def keep(row: T) -> None:
        async with permits:
            try:
                await promise(row)
            except Exception as error:
                error.add_note(f"in the row {reprlib.repr(row)}")
                errors.append(error)

    tried = await together(*map(keep, rows))
    assert tried, "the table has no rows"
    if errors:
        raise ExceptionGroup(f"broken in {len(errors)} of {len(tried)} rows", errors)
