"""OpenAPI of the published values, and Swagger UI from its wheel: nothing is loaded from outside."""

from importlib.resources import files
from typing import Any

from litestar import MediaType, Request, Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import OpenAPIType, Schema, Tag
from litestar.plugins import OpenAPISchemaPlugin
from litestar.static_files import create_static_files_router
from litestar.typing import FieldDefinition

from kernel.contracts.values import Amount, UserId
from kernel.domain.ids import USER_ID_PATTERN
from kernel.domain.money import AMOUNT_PATTERN

_ASSETS = "/swagger-assets"


class ValuesPlugin(OpenAPISchemaPlugin):
    """Says in OpenAPI what Amount and UserId accept."""

    @staticmethod
    def is_plugin_supported_type(value: object) -> bool:
        return value is Amount or value is UserId

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: object) -> Schema:
        if field_definition.annotation is Amount:
            return Schema(
                one_of=[
                    Schema(
                        type=OpenAPIType.NUMBER,
                        exclusive_minimum=0,
                        maximum=999_999_999_999.99,
                        multiple_of=0.01,
                    ),
                    Schema(type=OpenAPIType.STRING, pattern=f"^{AMOUNT_PATTERN}$"),
                ],
                description="Currency units, above 0, at most 12 digits before the point and 2 after it.",
            )
        return Schema(
            one_of=[
                Schema(type=OpenAPIType.STRING, pattern=f"^{USER_ID_PATTERN}$"),
                Schema(type=OpenAPIType.INTEGER, minimum=0),
            ],
            description="A user's id; an integer means its decimal string.",
        )


def openapi_config(title: str, description: str, tags: dict[str, str]) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=title,
        version="1.0.0",
        description=description,
        # Litestar answers whatever is below this path with a page of its own, so nothing is.
        path="/schema/openapi.json",
        tags=[Tag(name=name, description=text) for name, text in tags.items()],
        render_plugins=[JsonRenderPlugin(path="/")],
    )


def swagger_ui(path: str) -> Router:
    """Swagger UI at `path`, its assets beside it."""
    page = SwaggerRenderPlugin(
        js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        css_url=f"{_ASSETS}/swagger-ui.css",
        standalone_preset_js_url=f"{_ASSETS}/swagger-ui-standalone-preset.js",
        favicon="",
    )

    @get(path, media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        schema = request.app.openapi_schema.to_schema()
        return Response(page.render(request, schema), media_type=MediaType.HTML)

    assets = create_static_files_router(
        path=_ASSETS, directories=[str(files("swagger_ui") / "static")], include_in_schema=False
    )
    return Router("/", route_handlers=[show, assets])
