"""What a service says about its own routes is told with the gateway's."""

import pytest

from gateway.wire import at_the_gateway


@pytest.mark.parametrize(
    ("of_the_service", "of_the_gateway"),
    [
        ("/api/Order", "/orders"),
        ("/api/Order/0198c1a2", "/orders/0198c1a2"),
        ("/api/Order?limit=5&after=0198c1a2", "/orders?limit=5&after=0198c1a2"),
        ("/api/Accounts", "/accounts"),
        ("/api/Accounts/a%7Cb/deposit", "/accounts/a%7Cb/deposit"),
    ],
)
def test_a_path_is_told_as_the_gateways(of_the_service: str, of_the_gateway: str) -> None:
    assert at_the_gateway(of_the_service) == of_the_gateway


def test_every_target_of_a_link_is_told_as_the_gateways() -> None:
    links = '</api/Order?after=1>; rel="next", </api/Accounts/alice/deposit>; rel="successor-version"'
    assert at_the_gateway(links) == (
        '</orders?after=1>; rel="next", </accounts/alice/deposit>; rel="successor-version"'
    )


@pytest.mark.parametrize(
    "other", ["/", "/orders", "/api/Orders", "/api/AccountsOf/alice", "/x/api/Order", "/x?back=/api/Order"]
)
def test_a_path_that_is_no_route_of_a_service_stays(other: str) -> None:
    assert at_the_gateway(other) == other
