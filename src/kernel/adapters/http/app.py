from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dishka import AsyncContainer
from dishka.integrations.litestar import setup_dishka
from litestar import Litestar, Response
from litestar.config.cors import CORSConfig
from litestar.types import Serializer

from kernel.adapters.http.body import BODY_BYTES_MAX
from kernel.adapters.http.documentation import documentation
from kernel.adapters.http.health import Probes, health, metrics
from kernel.adapters.http.openapi import Api
from kernel.adapters.http.problem import EXCEPTION_HANDLERS
from kernel.contracts.values import encode

T = TypeVar("T")


class JsonAnswer(Response[T]):
    """Encodes as the published language does: amounts as numbers with two digits."""

    def render(self, content: Any, media_type: str, enc_hook: Serializer | None = None) -> bytes:
        return content if isinstance(content, bytes) else encode(content)


def create_app(
    api: Api,
    *,
    probes: Probes,
    exposition: Callable[[], Awaitable[bytes]],
    container: AsyncContainer,
    cors: CORSConfig | None = None,
) -> Litestar:
    app = Litestar(
        route_handlers=[*api.routes, health(probes), metrics(exposition), documentation(api)],
        openapi_config=None,
        cors_config=cors,
        exception_handlers=EXCEPTION_HANDLERS,
        response_class=JsonAnswer,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
    )
    setup_dishka(container, app)
    return app
