from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dishka import AsyncContainer
from litestar import Litestar, Response
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send, Serializer

from kernel.adapters.http.body import BODY_BYTES_MAX
from kernel.adapters.http.documentation import documentation
from kernel.adapters.http.health import Probes, health, metrics
from kernel.adapters.http.openapi import Api
from kernel.adapters.http.problem import EXCEPTION_HANDLERS
from kernel.adapters.http.query import plain_query
from kernel.contracts.values import encode
from kernel.ports.answer import Answer

T = TypeVar("T")


class JsonAnswer(Response[T]):
    """Encodes as the published language does: amounts as numbers with two digits."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer | None = None) -> bytes:
        return content if isinstance(content, bytes) else encode(content)


def passed_on(answer: Answer) -> JsonAnswer[bytes]:
    return JsonAnswer(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=dict(answer.headers)
    )


def create_app(
    api: Api,
    *,
    probes: Probes,
    exposition: Callable[[], Awaitable[bytes]],
    container: AsyncContainer,
) -> Litestar:
    app = Litestar(
        route_handlers=[*api.routes, health(probes), metrics(exposition), documentation(api)],
        openapi_config=None,
        before_request=plain_query,
        exception_handlers=EXCEPTION_HANDLERS,
        response_class=JsonAnswer,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    _lend(container, app)
    return app


def _lend(container: AsyncContainer, app: Litestar) -> None:
    """To `inject`. What routes ask for lives as long as the process; a container a request, as dishka's own
    middleware makes it, would hold nothing, and cost a fifth of a call."""
    routes = app.asgi_handler

    def with_container(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == ScopeType.HTTP:
            scope.setdefault("state", {})["dishka_container"] = container
        return routes(scope, receive, send)

    app.asgi_handler = with_container
