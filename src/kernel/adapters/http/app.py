from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from dishka import AsyncContainer
from dishka.integrations.litestar import setup_dishka
from litestar import Litestar, Response
from litestar.config.cors import CORSConfig
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler, Serializer

from kernel.adapters.http.body import BODY_BYTES_MAX
from kernel.adapters.http.health import Probes, health, metrics
from kernel.adapters.http.openapi import ValuesPlugin, swagger_ui
from kernel.adapters.http.problem import EXCEPTION_HANDLERS
from kernel.contracts.values import encode

T = TypeVar("T")


class JsonAnswer(Response[T]):
    """Encodes as the published language does: amounts as numbers with two digits."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer | None = None) -> bytes:
        return content if isinstance(content, bytes) else encode(content)


def create_app(
    *,
    routes: Sequence[ControllerRouterHandler],
    openapi: OpenAPIConfig,
    ui_path: str,
    probes: Probes,
    exposition: Callable[[], Awaitable[bytes]],
    container: AsyncContainer,
    cors: CORSConfig | None = None,
) -> Litestar:
    app = Litestar(
        route_handlers=[*routes, health(probes), metrics(exposition), swagger_ui(ui_path)],
        openapi_config=openapi,
        cors_config=cors,
        plugins=[ValuesPlugin()],
        exception_handlers=EXCEPTION_HANDLERS,
        response_class=JsonAnswer,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    setup_dishka(container, app)
    return app
