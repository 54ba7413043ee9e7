"""Where the shop finds its own services."""

import pytest

from shop.services import load_shop
from shop.serving import url_of


@pytest.mark.parametrize(
    ("bind_host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001"),
        ("10.0.0.5", "http://10.0.0.5:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001"),
    ],
)
def test_a_service_is_reached_at_the_address_that_it_listens_on(bind_host: str, url: str) -> None:
    assert url_of(load_shop({"BIND_HOST": bind_host}), "orders") == url
