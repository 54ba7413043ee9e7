"""What a service says of itself. Swagger UI comes from its wheel: nothing is loaded from outside."""

from importlib.resources import files
from typing import Any

import msgspec
from litestar import MediaType, Request, Router, get
from litestar.file_system import BaseLocalFileSystem
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import PathType
from litestar.types.file_types import FileInfo

from kernel.adapters.http.openapi import Api

_ASSETS = "/swagger-assets"


class _Files(BaseLocalFileSystem):
    """A name that no file can have, one with a NUL or of 3,000 characters, is not found either."""

    async def info(self, path: PathType, **kwargs: Any) -> FileInfo:
        try:
            return await super().info(path, **kwargs)
        except (OSError, ValueError) as error:
            raise FileNotFoundError(path) from error


def documentation(api: Api) -> Router:
    """The documents below /schema, and Swagger UI at its own path, its assets beside it."""
    page = SwaggerRenderPlugin(
        js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        css_url=f"{_ASSETS}/swagger-ui.css",
        standalone_preset_js_url=f"{_ASSETS}/swagger-ui-standalone-preset.js",
        favicon="",
    )

    @get(api.ui_path, media_type=MediaType.HTML, sync_to_thread=True)
    def show(request: Request[Any, Any, Any]) -> bytes:
        return page.render(request, msgspec.json.decode(api.openapi))

    # In a thread, because it is made when it is first asked for, and that takes a while.
    @get("/schema/openapi.json", media_type=MediaType.JSON, sync_to_thread=True)
    def openapi() -> bytes:
        return api.openapi

    @get("/schema/asyncapi.json", media_type=MediaType.JSON, sync_to_thread=False)
    def asyncapi() -> bytes | None:
        return api.asyncapi

    assets = create_static_files_router(
        path=_ASSETS, directories=[str(files("swagger_ui") / "static")], file_system=_Files()
    )
    documents = [openapi, asyncapi] if api.asyncapi else [openapi]
    return Router("/", route_handlers=[show, *documents, assets], include_in_schema=False)
