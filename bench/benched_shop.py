"""Starts the shop that is measured, and reads the CPU time and memory of its processes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self

from bench.servers import Servers
from bench.usage import cpu_s, resident_mb
from tests.servers.ports import free_port
from tests.servers.process import Process, start_together
from tests.servers.shop import SERVICES


class BenchedShop:
    """Three services, one process each, as `shop serve` starts them."""

    def __init__(
        self,
        servers: Servers,
        services: Sequence[str] = SERVICES,
        *,
        one_process: bool = False,
        **settings_of: Mapping[str, str],
    ) -> None:
        """`settings_of` gives additional settings by service. `one_process` starts `shop up` instead."""
        ports = {service: free_port() for service in SERVICES}
        self.urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        settings = {
            **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
            **servers.settings,
            "RABBITMQ_URL": servers.rabbitmq,
            "ORDERS_URL": self.urls["orders"],
            "PAYMENTS_URL": self.urls["payments"],
        }
        self.processes = {
            service: Process(
                "serve",
                service,
                settings={**settings, **settings_of.get(service, {})},
                logs=servers.directory / "logs",
                ready_at=[self.urls[service]],
            )
            for service in services
        }
        if one_process:
            data = {"SHOP_DATA_DIR": str(servers.directory / "data")}
            in_process = {name: value for name, value in settings.items() if name != "RABBITMQ_URL"} | data
            up = Process(
                "up", settings=in_process, logs=servers.directory / "logs", ready_at=self.urls.values()
            )
            self.processes = {"up": up}

    async def __aenter__(self) -> Self:
        await start_together(self.processes.values())
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(process.stop() for process in self.processes.values()))

    def cpu_s(self) -> dict[str, float]:
        """CPU time of each service so far."""
        return {name: cpu_s(process.pid) for name, process in self.processes.items()}

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of each service."""
        return {name: resident_mb(process.pid) for name, process in self.processes.items()}
