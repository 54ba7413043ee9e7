"""One request and its answer: uvicorn's class, extended for HTTP/1.0 and half-closed connections."""

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from kernel.adapters.answer_start import answer_start
from kernel.adapters.http.conventions.problem import refused_answer

if TYPE_CHECKING:
    from kernel.adapters.http.server.answer_writer import AnswerWriter


class Cycle(RequestResponseCycle):
    transport: "AnswerWriter"  # type: ignore[assignment]  # it has the methods of a transport that uvicorn calls here

    _is_delivered = False
    """Whether the application has got the whole request."""
    _ends_with_connection = False
    """Whether the answer has no length, so that closing the connection marks its end."""

    @property
    def is_over(self) -> bool:
        """Whether the answer has ended, or nobody will receive the rest of it.

        A client that has closed its side of the connection can still read. It gets its answer, unless the
        answer is a stream of unknown length.
        """
        if self.disconnected or self.response_complete:
            return True
        endless = self.chunked_encoding or self._ends_with_connection
        return bool(endless) and self.response_started and self.transport.client_left.is_set()

    async def receive(self) -> Any:
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.waiting_for_100_continue = False
            self.keep_alive = self.transport.keeps_alive and not self.transport.limiter.draining
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self.is_over:
            if self.body or not (self.more_body or self._is_delivered):
                body, self.body, self._is_delivered = bytes(self.body), bytearray(), not self.more_body
                return {"type": "http.request", "body": body, "more_body": self.more_body}
            self.flow.resume_reading()
            self.message_event.clear()
            await self.message_event.wait()
        if not self.response_started:
            answer_start(self.scope).client_left = True
        return {"type": "http.disconnect"}

    async def send_500_response(self) -> None:
        answer = refused_answer(500, "internal_error", "the error was logged")
        headers = [
            (b"content-type", answer.media_type.encode()), (b"content-length", b"%d" % len(answer.body)),
        ]  # fmt: skip
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": answer.body})


class Cycle10(Cycle):
    """A cycle of HTTP/1.0. Without chunks, an answer of unknown length ends with its connection."""

    async def send(self, message: Any) -> None:
        if self._ends_with_connection:
            self.expected_content_length = len(message.get("body", b""))
        elif not self.response_started:
            headers = list(message.get("headers", ()))
            if not any(name.lower() == b"content-length" for name, _ in headers):
                self.chunked_encoding, self.keep_alive, self._ends_with_connection = False, False, True
            elif self.keep_alive:
                headers.append((b"connection", b"keep-alive"))
            message = {**message, "headers": headers}
        await super().send(message)
