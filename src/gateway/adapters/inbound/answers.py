"""The problem codes of the gateway's routes, and the answer to `POST /orders`."""

from gateway import wire
from gateway.domain.orders import Outcome, Placed, Rejected
from kernel.adapters.http.conventions.idempotency import replay_headers
from kernel.adapters.http.conventions.problem import MEDIA_TYPE, error_answer
from kernel.contracts.problems import Problems
from kernel.ports.http_answer import HttpAnswer
from orders.contract.problems import PROBLEMS as OF_ORDERS
from payments.contract.problems import PROBLEMS as OF_PAYMENTS

PROBLEMS = (
    OF_ORDERS
    | OF_PAYMENTS
    | Problems({"too_many_streams": "This client has too many streams"}, {"too_many_streams": 429})
    | Problems(
        {
            "no_provider": "There is no provider to sign in with",
            "open_mode": "There are no sessions in open mode",
            "session_too_large": "The session is too large for cookies",
            "sign_in_failed": "Signing in did not work",
        },
        {"sign_in_failed": 400},
    )
)


def answer_of(outcome: Outcome | Exception) -> HttpAnswer:
    """Turns the outcome of one order into the answer to `POST /orders`. An exception becomes a problem."""
    match outcome:
        case Placed():
            headers = {"Location": f"{wire.ORDERS}/{outcome.order_id}"} | replay_headers(
                replayed=outcome.replayed
            )
            return HttpAnswer(201, "application/json", headers, outcome.order)
        case Rejected():
            retry = {"Retry-After": "1"} if outcome.status == 503 else {}
            return HttpAnswer(outcome.status, MEDIA_TYPE, retry, outcome.problem)
        case Exception():
            return error_answer(outcome, wire.ORDERS, PROBLEMS)
