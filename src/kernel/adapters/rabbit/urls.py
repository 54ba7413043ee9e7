"""The addresses of brokers: which are accepted, and how one is named without its password."""

import asyncio
import errno

from aio_pika.exceptions import InvalidFrameError, ProbableAuthenticationError
from yarl import URL

from kernel.domain.errors import Invalid, Unavailable

_PORTS = {"amqp": 5672, "amqps": 5671}


class Denied(Unavailable):
    """The broker answered, and refused: to try again at once is pointless."""


def broker_url(text: str) -> URL:
    """Raises Invalid, without repeating the text, because it may hold a password."""
    expected = "expected amqp://user:password@host:port/vhost (amqps:// for TLS), several separated by commas"
    try:
        url = URL(text)
        port = url.explicit_port
    except ValueError:
        raise Invalid.field("RABBITMQ_URL", expected) from None
    if url.scheme not in _PORTS or not url.host or any(character.isspace() for character in text):
        raise Invalid.field("RABBITMQ_URL", expected)
    return url.with_port(port or _PORTS[url.scheme])


def away(url: URL, error: BaseException) -> Unavailable:
    """One line for people on what the library raised: where, and why."""
    where = f"{url.host}:{url.port}"
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, ProbableAuthenticationError):
        return Denied(f"rabbitmq at {where} refuses the user {url.user!r} or its password")
    if isinstance(error, InvalidFrameError) and "Connection.Close" in str(error):
        # aiormq does not tell the reply text; at this step RabbitMQ closes over the virtual host only.
        vhost = url.path.removeprefix("/").replace("%2F", "/") or "/"
        return Denied(f"rabbitmq at {where} has no virtual host {vhost!r} for the user {url.user!r}")
    return Unavailable(f"rabbitmq at {where}: {_reason(error)}", code="rabbitmq_unavailable")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncio.CancelledError):
        return "connection lost"
    if error.args and error.args[0] == errno.ECONNREFUSED:
        return "connection refused"
    text = next((part for part in error.args if part and isinstance(part, str)), type(error).__name__)
    return text.partition("\n")[0].partition(". ")[0]
