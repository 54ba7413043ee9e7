"""An open shop stays on its machine."""

import pytest

from kernel.settings import SettingsError
from shop.reach import require_reach
from shop.services import load_shop

EVERY_ADDRESS = ["0.0.0.0", "::", "192.0.2.7", "2001:db8::7"]


def reach(**settings: str) -> None:
    require_reach(load_shop(settings).common)


@pytest.mark.parametrize("host", EVERY_ADDRESS)
def test_an_open_shop_is_not_reached_from_other_machines_unless_that_is_asked_for(host: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^BIND_HOST: .*SHOP_AUTH=jwt, or SHOP_OPEN_BEYOND_LOOPBACK=yes$"
    ):
        reach(BIND_HOST=host)
    reach(BIND_HOST=host, SHOP_OPEN_BEYOND_LOOPBACK="yes")
    reach(BIND_HOST=host, SHOP_AUTH="jwt")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_an_open_shop_is_reached_from_its_own_machine(host: str) -> None:
    reach(BIND_HOST=host)
