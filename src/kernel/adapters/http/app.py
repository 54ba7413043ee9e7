from collections.abc import Awaitable, Callable

from dishka import AsyncContainer
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.problem import exception_handlers
from kernel.adapters.http.documents.documentation import documentation
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.health import Probes, health, metrics
from kernel.adapters.http.parsing.body import BODY_BYTES_MAX
from kernel.adapters.http.parsing.query import plain_query


def create_app(
    api: Api,
    *,
    asyncapi: bytes | None = None,
    probes: Probes,
    exposition: Callable[[], Awaitable[bytes]],
    container: AsyncContainer,
) -> Litestar:
    routes = [*api.routes, *api.pages, health(probes), metrics(exposition), documentation(api, asyncapi)]
    app = Litestar(
        routes,
        openapi_config=None,
        before_request=plain_query,
        exception_handlers=exception_handlers(api.problems),
        response_class=JsonAnswer,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    _lend(container, app)
    return app


def _lend(container: AsyncContainer, app: Litestar) -> None:
    """Gives `inject` the container of the process. dishka's middleware would add a container for each
    request, at the cost of a fifth of a call. That container would be empty, because all objects that routes
    need live as long as the process."""
    routes = app.asgi_handler

    def with_container(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == ScopeType.HTTP:
            scope.setdefault("state", {})["dishka_container"] = container
        return routes(scope, receive, send)

    app.asgi_handler = with_container
