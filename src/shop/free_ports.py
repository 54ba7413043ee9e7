"""Checks the ports of a whole shop before anything is started."""

from kernel.adapters.http.server.server import listen
from kernel.settings import SettingsError, variable
from shop.services import Shop


def require_free_ports(shop: Shop) -> None:
    """Raises SettingsError if two services would share a port, and Unavailable if a port is taken."""
    ports = {variable(type(own), "port"): own.port for own in shop.settings.values()}
    if shop.common.metrics_port is not None:
        ports["METRICS_PORT"] = shop.common.metrics_port
    if len(set(ports.values())) < len(ports):
        raise SettingsError(f"{', '.join(sorted(ports))} must be different")
    for port in ports.values():
        listen(shop.common.bind_host, port).close()
