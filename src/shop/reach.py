"""In open mode callers are not authenticated, so other machines must not reach the shop."""

import socket

from kernel.adapters.networks import parsed
from kernel.settings import Settings, SettingsError


def require_reach(settings: Settings) -> None:
    """Raises SettingsError if a service in open mode would listen beyond this machine."""
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
        return True  # Nobody can listen on it, which the attempt will tell.
    addresses = [parsed(str(address[0]).partition("%")[0]) for *_, address in found]
    return all(address is not None and address.is_loopback for address in addresses)
