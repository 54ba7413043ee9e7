"""Logs the start and the stop of a service, at INFO."""

import logging
import platform
from collections.abc import Mapping
from importlib.metadata import version
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)


class Lifecycle:
    """`servers` maps a server's name to its URL, or to None if the service does not use the server."""

    def __init__(self, service: str, servers: Mapping[str, str | None], *, schema: int | None = None) -> None:
        self._service = {"service": service}
        self._with = {name: without_secrets(url) for name, url in servers.items() if url is not None}
        if schema is not None:
            self._with["schema"] = f"{schema:04}"

    def listening(self, host: str, port: int) -> None:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        versions = {"version": version("shop"), "python": platform.python_version()}
        logger.info("listening", extra={**self._service, "address": address, **versions, **self._with})

    def stopping(self) -> None:
        logger.info("stopping", extra=self._service)

    def stopped(self) -> None:
        logger.info("stopped", extra=self._service)


def without_secrets(urls: str) -> str:
    """Removes users and passwords from URLs. Keeps hosts and paths, separated by commas."""
    shown = []
    for url in urls.split(","):
        parts = urlsplit(url if "://" in url else f"//{url}")  # another host of the same URL
        shown.append(f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}")
    return ",".join(shown)
