"""Writes the OpenAPI and AsyncAPI documents of all services to files, and finds outdated files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kernel.adapters.http.documents.openapi import VERSION
from kernel.adapters.rabbit.asyncapi import asyncapi
from kernel.service import Service
from shop.services import Shop, load_shop


def documents(services: Iterable[Service]) -> Iterator[tuple[Path, bytes]]:
    """Yields the path and text of each document, for a shop with default settings."""
    shop = load_shop({}, services)
    for name in sorted(shop.services):
        api = shop.services[name].load_main().api(shop.settings[name])
        yield Path("openapi", f"{name}.json"), _text(api.openapi)
        if messages := messages_of(shop, name):
            yield Path("asyncapi", f"{name}.json"), _text(messages)


def messages_of(shop: Shop, name: str) -> bytes | None:
    """The AsyncAPI document of a service; None if it neither sends nor subscribes."""
    messaging = shop.services[name].messaging
    if not (messaging.sends or messaging.subscribes):
        return None
    return asyncapi(name, VERSION, shop.catalog)


def stale(folder: Path, services: Iterable[Service]) -> list[Path]:
    """Returns the paths of documents that are missing in this folder or outdated."""
    return [folder / path for path, text in documents(services) if not _is(folder / path, text)]


def write(folder: Path, services: Iterable[Service]) -> list[Path]:
    """Writes all documents, and returns their paths."""
    written = []
    for path, text in documents(services):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
        written.append(folder / path)
    return written


def _text(document: bytes) -> bytes:
    return msgspec.json.format(document, indent=2) + b"\n"


def _is(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text
