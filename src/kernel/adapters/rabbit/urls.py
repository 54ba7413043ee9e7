"""Parses the URLs of brokers, and describes a broker's errors without its password."""

import asyncio
import errno
import ssl
from collections.abc import Sequence
from traceback import walk_tb

from aio_pika.exceptions import ChannelPreconditionFailed, InvalidFrameError, ProbableAuthenticationError
from aiormq.exceptions import ChannelAccessRefused, ChannelInvalidStateError, ConnectionNotAllowed
from pamqp.commands import Connection
from yarl import URL

from kernel.adapters.reread import Reread
from kernel.adapters.words import tls_fault
from kernel.domain.errors import Invalid, Unavailable

_PORTS = {"amqp": 5672, "amqps": 5671}
_REFUSALS = {ChannelAccessRefused: 403, ChannelPreconditionFailed: 406, ConnectionNotAllowed: 530}


class Denied(Unavailable):
    """The broker answered with a refusal, so trying again at once is pointless."""


def broker_url(text: str) -> URL:
    """Parses one URL and adds the default port. The Invalid that it raises does not quote the password."""
    expected = "expected amqp://user:password@host:port/vhost (amqps:// for TLS), several separated by commas"
    try:
        url = URL(text)
        port = url.explicit_port
    except ValueError:
        raise Invalid.field("RABBITMQ_URL", expected) from None
    if url.scheme not in _PORTS or not url.host or any(character.isspace() for character in text):
        raise Invalid.field("RABBITMQ_URL", expected)
    return url.with_port(port or _PORTS[url.scheme])


class BrokerUrls:
    """The URLs of the nodes of one cluster."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Each text holds one URL, or several separated by commas. Raises Invalid for a malformed URL."""
        self._texts = [Reread(text, lambda urls: [*map(broker_url, urls.split(","))]) for text in texts]

    def now(self) -> list[URL]:
        return [url for text in self._texts for url in text.now()]


def away(url: URL, error: BaseException) -> Unavailable:
    """Turns a library's error into a shop's error that names the broker and the reason in one line."""
    where = f"{url.host}:{url.port}"
    if isinstance(error, Unavailable):
        return error
    if isinstance(error.__cause__, ssl.SSLError) and (fault := tls_fault(error.__cause__)):
        return Denied(f"rabbitmq at {where}: {fault}")
    if isinstance(error, ProbableAuthenticationError):
        return Denied(
            f"rabbitmq at {where} refuses the user {url.user!r} or its password: 403 {_words(error)}"
        )
    if isinstance(error, InvalidFrameError) and (close := _close_frame(error)) is not None:
        # RabbitMQ closes the connection here only if the virtual host does not exist, or is forbidden.
        vhost = url.path.removeprefix("/").replace("%2F", "/") or "/"
        words = f"{close.reply_code} {close.reply_text}"
        return Denied(
            f"rabbitmq at {where} refuses the virtual host {vhost!r} to the user {url.user!r}: {words}"
        )
    for kind, code in _REFUSALS.items():
        if isinstance(error, kind):
            return Denied(f"rabbitmq at {where} refuses: {code} {_words(error)}")
    return Unavailable(f"rabbitmq at {where}: {reason_of(error)}", code="rabbitmq_unavailable")


def _close_frame(error: InvalidFrameError) -> Connection.Close | None:
    """The frame with the broker's reason. aiormq drops it, but a function in the traceback still holds it."""
    for frame, _ in walk_tb(error.__traceback__):
        found = frame.f_locals.get("frame")
        if isinstance(found, Connection.Close):
            return found
    return None


def reason_of(error: BaseException) -> str:
    """The reason of an error in plain words, without the object names of the library."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncio.CancelledError | ChannelInvalidStateError):
        return "connection lost"
    if error.args and error.args[0] == errno.ECONNREFUSED:
        return "connection refused"
    return _words(error).partition(". ")[0]


def _words(error: BaseException) -> str:
    words = next((part for part in error.args if part and isinstance(part, str)), type(error).__name__)
    return words.partition("\n")[0]
