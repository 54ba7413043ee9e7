"""The documents of every service, as files."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

import gateway.main
import orders.main
import payments.main
from kernel.settings import Settings

SERVICES = {"gateway": gateway.main, "orders": orders.main, "payments": payments.main}


def documents() -> Iterator[tuple[Path, bytes]]:
    """Where each belongs, and its text; of a shop with the default settings."""
    for name, service in SERVICES.items():
        api = service.api(Settings())
        yield Path("openapi", f"{name}.json"), _text(api.openapi)
        if api.asyncapi:
            yield Path("asyncapi", f"{name}.json"), _text(api.asyncapi)


def stale(folder: Path) -> list[Path]:
    """The files of this folder that are not what the services say today."""
    return [folder / path for path, text in documents() if not _is(folder / path, text)]


def write(folder: Path) -> list[Path]:
    """Write all, and tell which."""
    written = []
    for path, text in documents():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
        written.append(folder / path)
    return written


def _text(document: bytes) -> bytes:
    return msgspec.json.format(document, indent=2) + b"\n"


def _is(path: Path, text: bytes) -> bool:
    return path.is_file() and path.read_bytes() == text
