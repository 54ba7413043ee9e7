"""What every admission promises, over a function of this process and over HTTP."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import aiohttp
import pytest
from aiohttp import web

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Unavailable
from orders.adapters.outbound.http_admission import HttpAdmission
from orders.domain.commands import Placement
from orders.ports.admission import Admission
from tests.memory.clock import MemoryClock
from tests.memory.orders import MemoryAdmission

AdmissionRequests = list[tuple[str, int]]


def command(user_id: str, amount: int) -> Placement:
    return Placement(
        order_id=UUID(int=1),
        caller=ANYONE,
        user_id=user_id,
        amount=amount,
        description="",
        idempotency_key=None,
        traceparent="",
    )


class AskedPayments(ABC):
    """Payments that answers with `reasons`, or not at all where they are None; it keeps what it was asked."""

    admission: Admission

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.asked: list[AdmissionRequests] = []
        self.reasons: Sequence[str | None] | None = None

    @abstractmethod
    async def go_away(self) -> None:
        """No request reaches it any more."""

    async def checked(self, *commands: Placement) -> list[str | None]:
        verdicts = await self.admission.check(commands)
        return [None if refused is None else refused.code for refused in verdicts]


class PaymentsInProcess(AskedPayments):
    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.admission = MemoryAdmission(self.ask, self.clock)

    async def ask(self, requests: Sequence[tuple[str, int]]) -> Sequence[str | None]:
        if self.is_away:
            raise Unavailable("payments is away")
        self.asked.append(list(requests))
        if self.reasons is None:
            raise Unavailable("payments gives no answer")
        return self.reasons

    async def go_away(self) -> None:
        self.is_away = True


class PaymentsOverHttp(AskedPayments):
    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self.session = session
        self.unchecked: list[int] = []
        self.raw: bytes | None = None
        self.raw_status = 200
        self.delay_s = 0.0
        self.status = 503

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/api/Admission", self.answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        host, port = self.runner.addresses[0]
        url = f"http://{host}:{port}"
        self.admission = HttpAdmission(self.session, url, self.clock, unchecked=self.unchecked.append)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append([(item["userId"], round(item["amount"] * 100)) for item in body])
        await asyncio.sleep(self.delay_s)
        if self.raw is not None:
            return web.Response(body=self.raw, status=self.raw_status, content_type="application/json")
        if self.reasons is None:
            return web.Response(status=self.status)
        return web.json_response(self.reasons)

    async def go_away(self) -> None:
        await self.runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[PaymentsOverHttp]:
    async with aiohttp.ClientSession() as session:
        world = PaymentsOverHttp(session)
        await world.start()
        yield world
        await world.go_away()


@pytest.fixture(params=["memory", "http"])
def world(request: pytest.FixtureRequest) -> AskedPayments:
    found = PaymentsInProcess() if request.param == "memory" else request.getfixturevalue("http")
    assert isinstance(found, AskedPayments)
    return found


async def test_a_whole_batch_is_asked_about_at_once_and_each_order_checked_alone(
    world: AskedPayments,
) -> None:
    world.reasons = [None, "insufficient_funds", "account_not_found", None]
    commands = [command("ada", 1000), command("ada", 1), command("grace", 250), command("ada", 1000)]
    assert await world.checked(*commands) == world.reasons
    assert world.asked == [[("ada", 1000), ("ada", 1), ("grace", 250), ("ada", 1000)]]


async def test_every_order_is_admitted_while_payments_gives_no_answer(world: AskedPayments) -> None:
    assert await world.checked(command("ada", 1), command("grace", 2)) == [None, None]


async def test_every_order_is_admitted_while_payments_is_away(
    world: AskedPayments, caplog: pytest.LogCaptureFixture
) -> None:
    await world.go_away()
    assert await world.checked(command("ada", 1), command("grace", 2)) == [None, None]
    assert "ConnectionKey(" not in caplog.text


async def test_after_a_silence_payments_is_asked_again_only_after_a_second(world: AskedPayments) -> None:
    assert await world.checked(command("ada", 1)) == [None]
    world.reasons = ["insufficient_funds"]
    world.clock.advance(0.999)
    assert await world.checked(command("ada", 2)) == [None]
    assert world.asked == [[("ada", 1)]]
    world.clock.advance(0.001)
    assert await world.checked(command("ada", 3)) == ["insufficient_funds"]
    assert await world.checked(command("ada", 4)) == ["insufficient_funds"]
    assert world.asked == [[("ada", 1)], [("ada", 3)], [("ada", 4)]]


async def test_over_http_orders_that_pass_without_an_answer_are_counted(http: PaymentsOverHttp) -> None:
    await http.checked(command("ada", 1), command("grace", 2))  # no answer
    await http.checked(command("ada", 3))  # not asked
    http.clock.advance(1)
    http.reasons = [None]
    await http.checked(command("ada", 4))
    assert http.unchecked == [2, 1]


async def test_over_http_a_silence_is_logged_when_it_begins_and_when_it_ends(
    http: PaymentsOverHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "orders")
    for reasons in (None, None, None, [None], [None]):
        http.reasons = reasons
        await http.checked(command("ada", 1))
        http.clock.advance(60)
    refused, again = (record.getMessage() for record in caplog.records)
    assert refused.startswith("payments does not check orders: 503")
    assert again == "payments checks orders again"


async def test_over_http_where_orders_is_not_believed_the_log_names_the_setting(
    http: PaymentsOverHttp, caplog: pytest.LogCaptureFixture
) -> None:
    http.status = 401
    assert await http.checked(command("ada", 1)) == [None]
    assert (
        "payments does not check orders: it does not accept the token of its caller: SHOP_AUTH" in caplog.text
    )


async def test_over_http_an_answer_that_is_late_is_none(http: PaymentsOverHttp) -> None:
    http.reasons, http.delay_s = ["insufficient_funds"], 0.35
    assert await http.checked(command("ada", 1)) == [None]
    http.clock.advance(1)
    http.delay_s = 0
    assert await http.checked(command("ada", 1)) == ["insufficient_funds"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="no list"),
        pytest.param(b"[1]", id="no reason"),
        pytest.param(b"<html>", id="no JSON"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'["\xff"]', id="no text"),
        pytest.param(b"[]", id="too few"),
        pytest.param(b"[null,null]", id="too many"),
    ],
)
async def test_over_http_an_answer_that_makes_no_sense_is_none(
    http: PaymentsOverHttp, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    http.raw = raw
    assert await http.checked(command("ada", 1)) == [None]
    assert caplog.records[-1].levelno == logging.WARNING


@pytest.mark.parametrize("status", [201, 302, 307, 404])
async def test_over_http_only_200_is_an_answer(http: PaymentsOverHttp, status: int) -> None:
    http.raw, http.raw_status = b'["insufficient_funds"]', status
    assert await http.checked(command("ada", 1)) == [None]


async def test_over_http_a_refusal_says_in_words_what_is_wrong(http: PaymentsOverHttp) -> None:
    http.reasons = ["insufficient_funds", "a_reason_of_tomorrow"]
    verdicts = await http.admission.check([command("ada", 1), command("ada", 2)])
    assert [str(refused) for refused in verdicts] == [
        "the balance does not suffice for this order",
        "a_reason_of_tomorrow",
    ]
