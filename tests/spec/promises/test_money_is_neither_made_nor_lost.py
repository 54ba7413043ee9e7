"""Money is neither made nor lost, however many clients come at once."""

from tests.spec.load import Load
from tests.spec.store import Store


async def test_3200_orders_of_32_clients_on_own_and_shared_accounts_come_out_even(
    gateway: Store, seed: str
) -> None:
    load = Load(gateway, seed, clients=32, orders_per_client=100, shared_accounts=5)
    await load.run()
    assert load.answered == load.size
    await load.comes_out_even(within=30)
