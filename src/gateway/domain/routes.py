"""Where clients find at the gateway what the services keep."""

import re

ACCOUNTS = "/accounts"
ORDERS = "/orders"

_AT_THE_GATEWAY = {"/api/Accounts": ACCOUNTS, "/api/Order": ORDERS}
_ROUTE = re.compile(r"(?P<start>^|<)(?P<route>/api/(?:Accounts|Order))(?=[/?#>]|$)")


def at_the_gateway(references: str) -> str:
    """The path of a Location or an instance, or the targets of a Link, with the services' routes replaced."""
    return _ROUTE.sub(lambda found: found["start"] + _AT_THE_GATEWAY[found["route"]], references)
