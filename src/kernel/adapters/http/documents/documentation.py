"""Serves the OpenAPI and AsyncAPI documents and Swagger UI, whose files come from its Python package."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.file_system import BaseLocalFileSystem
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.types import PathType
from litestar.types.file_types import FileInfo

from kernel.adapters.http.documents import swagger
from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.middleware.proxies import PREFIX
from kernel.adapters.http.parsing.query import ANY_QUERY

_ASSETS = "/swagger-assets"
# The documents' paths need no token. A path that ends in a slash is a prefix, except `/` itself.
OPEN_TO_ALL = ("/", "/index.html", "/swagger", "/openapi.json", "/schema/", f"{_ASSETS}/")
# The page of Swagger UI has its own query, and assets may have any query, such as a version.
_ANY_QUERY = {ANY_QUERY: True}


class _Files(BaseLocalFileSystem):
    """Static files. A name that no file can have, with a NUL or 3,000 characters, is not found (404)."""

    async def info(self, path: PathType, **kwargs: Any) -> FileInfo:
        try:
            return await super().info(path, **kwargs)
        except (OSError, ValueError) as error:
            raise FileNotFoundError(path) from error


def documentation(api: Api, asyncapi: bytes | None) -> Router:
    """The routes of the documents below /schema, of Swagger UI at `api.ui_path`, and of its assets."""

    @get(api.ui_path, sync_to_thread=True, opt=_ANY_QUERY)
    def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        prefix = _prefix(request)
        page = swagger.page(api.title, f"{prefix}{_ASSETS}", _below(prefix, api.openapi))
        return Response(page, media_type=MediaType.HTML, headers=swagger.HEADERS)

    @get(
        f"{_ASSETS}/{swagger.SCRIPT_NAME}", media_type="text/javascript", sync_to_thread=False, opt=_ANY_QUERY
    )
    def script() -> bytes:
        return swagger.SCRIPT

    # Runs in a thread, because the first request generates the document, which takes long.
    @get("/schema/openapi.json", media_type=MediaType.JSON, sync_to_thread=True)
    def openapi(request: Request[Any, Any, Any]) -> bytes:
        return _below(_prefix(request), api.openapi)

    @get("/schema/asyncapi.json", media_type=MediaType.JSON, sync_to_thread=False)
    def messages() -> bytes | None:
        return asyncapi

    assets = create_static_files_router(
        path=_ASSETS, directories=[_swagger_ui() / "static"], file_system=_Files(), opt=_ANY_QUERY
    )
    pages = [show, script, openapi, *([messages] if asyncapi else []), *_redirects(api)]
    return Router("/", route_handlers=[*pages, assets], include_in_schema=False)


def _swagger_ui() -> Path:
    """The folder of the package `swagger_ui`. An import of the package would load a template engine."""
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("swagger-ui-py is not installed")
    return Path(spec.origin).parent


def _redirects(api: Api) -> list[HTTPRouteHandler]:
    """Redirects from paths where people look for Swagger UI or the OpenAPI document."""
    home = {} if api.pages else {"/": api.ui_path}
    targets = {**home, "/swagger": api.ui_path, "/openapi.json": "/schema/openapi.json"}
    return [_redirect(path, to) for path, to in targets.items() if path != to]


def _redirect(path: str, to: str) -> HTTPRouteHandler:
    @get(path, sync_to_thread=False, opt=_ANY_QUERY)
    def redirect() -> Redirect:
        return Redirect(to)

    return redirect


def _prefix(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get(PREFIX, ""))


def _below(prefix: str, document: bytes) -> bytes:
    """The OpenAPI document, with `prefix` as the URL of its server unless the prefix is empty."""
    if not prefix:
        return document
    return msgspec.json.encode({**msgspec.json.decode(document), "servers": [{"url": prefix}]})
