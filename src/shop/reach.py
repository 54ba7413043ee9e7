"""An open shop asks nobody who they are, so other machines must not reach it."""

import socket

from kernel.adapters.networks import parsed
from kernel.settings import Settings, SettingsError


def require_reach(settings: Settings) -> None:
    """Raises SettingsError where an open service were to listen beyond this machine."""
    is_open = settings.shop_auth == "open" and settings.shop_open_beyond_loopback == "no"
    if is_open and not _is_loopback(settings.bind_host):
        raise SettingsError(
            f"BIND_HOST: in open mode anyone who reaches {settings.bind_host} is anyone:"
            " set SHOP_AUTH=jwt, or SHOP_OPEN_BEYOND_LOOPBACK=yes"
        )


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # It cannot be listened on at all, which is told when that is tried.
    addresses = [parsed(str(address[0]).partition("%")[0]) for *_, address in found]
    return all(address is not None and address.is_loopback for address in addresses)
