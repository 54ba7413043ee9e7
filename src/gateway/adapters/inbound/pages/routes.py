"""Serves the shop's pages, files of this package, at `/` and `/pages`. Pages use only the public API."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kernel.adapters.http.conventions.conditional import IfNoneMatch, conditional_file
from kernel.adapters.http.middleware.proxies import PREFIX
from kernel.adapters.http.parsing.query import ANY_QUERY

PATH = "/pages"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A release changes files under the same names, so a browser asks each time whether its copy is current.
_REVALIDATED = {"Cache-Control": "no-cache"}
_ANY_QUERY = {ANY_QUERY: True}
# Fixed here: the machine's own table may lack a type, or name a type that browsers do not run as a script.
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def pages() -> Router:
    """The routes of the pages. All files are read once and kept in memory, because they are small."""
    kept = dict(_below(files(__package__).joinpath("static"), ""))
    home = kept.pop("index.html").decode()

    @get("/", sync_to_thread=False, opt=_ANY_QUERY)
    def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        base = escape(f"{request.scope.get(PREFIX, '')}/")
        page = home.replace("{base}", base).encode()
        return Response(page, media_type="text/html", headers=_HEADERS | _REVALIDATED)

    @get(f"{PATH}/{{name:path}}", sync_to_thread=False, opt=_ANY_QUERY)
    def file(name: FromPath[str], if_none_match: IfNoneMatch = None) -> Response[bytes]:
        content = kept.get(name.removeprefix("/"))
        if content is None:
            raise NotFoundException()
        return conditional_file(content, _MEDIA_TYPES[PurePath(name).suffix], if_none_match, _REVALIDATED)

    return Router("/", route_handlers=[show, file], include_in_schema=False)


def _below(folder: Traversable, prefix: str) -> Mapping[str, bytes]:
    """Maps the path of each file below the folder, with `prefix` before it, to the content of the file."""
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _below(entry, f"{prefix}{entry.name}/")
        else:
            found[f"{prefix}{entry.name}"] = entry.read_bytes()
    return found
