"""Checks a shop's addresses before it listens: who can reach them, and whether the ports are free."""

import socket

from kernel.adapters.http.server.server import listen
from kernel.adapters.networks import parsed
from kernel.settings import Settings, SettingsError, variable
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


def require_reach(settings: Settings) -> None:
    """Raises SettingsError if a service in open mode would listen beyond this machine, because its callers
    are not authenticated."""
    is_open = settings.shop_auth == "open" and settings.shop_open_beyond_loopback == "no"
    if is_open and not _is_loopback(settings.bind_host):
        raise SettingsError(
            f"BIND_HOST: in open mode anyone who reaches {settings.bind_host} may do anything:"
            " set SHOP_AUTH=jwt, or SHOP_OPEN_BEYOND_LOOPBACK=yes"
        )


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # Nobody can listen on it; the attempt will fail and say why.
    addresses = [parsed(str(address[0]).partition("%")[0]) for *_, address in found]
    return all(address is not None and address.is_loopback for address in addresses)
