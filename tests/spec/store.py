"""A client of the shop's HTTP routes, in the words of the specs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tests.servers.process import eventually
from tests.servers.shop import Shop
from tests.spec.scenario import Answer, Http, expect, money, new_user


class Store:
    """One entry point of a shop: the public routes of the gateway, or their twins at the services."""

    def __init__(self, http: Http, accounts: str, orders: str) -> None:
        self.http = http
        self.accounts = accounts
        self.orders = orders
        self.batch = f"{orders}/batch"

    @classmethod
    def at_the_gateway(cls, http: Http, shop: Shop) -> "Store":
        return cls(http, f"{shop.gateway}/accounts", f"{shop.gateway}/orders")

    @classmethod
    def at_the_services(cls, http: Http, shop: Shop) -> "Store":
        return cls(http, f"{shop.payments}/api/Accounts", f"{shop.orders}/api/Order")

    def account_url(self, user: str) -> str:
        return f"{self.accounts}/{quote(user, safe='')}"

    def deposit_url(self, user: str) -> str:
        return f"{self.account_url(user)}/deposit"

    def statement_url(self, user: str) -> str:
        return f"{self.account_url(user)}/transactions"

    def order_url(self, order_id: str) -> str:
        return f"{self.orders}/{order_id}"

    def history_url(self, order_id: str) -> str:
        return f"{self.order_url(order_id)}/history"

    async def open_account(self, *, funds: str | None = None) -> str:
        """A user nobody else has, with an account and these funds."""
        user = new_user()
        expect(201, await self.http.post(self.accounts, {"userId": user}))
        if funds is not None:
            await self.deposit(user, funds)
        return user

    async def deposit(self, user: str, amount: object) -> Any:
        return expect(200, await self.http.post(self.deposit_url(user), {"amount": str(amount)}))

    async def order(self, user: str, amount: object, description: str = "") -> Answer:
        """Asks for an order, whatever comes of it."""
        wish = {"userId": user, "amount": str(amount), "description": description}
        return await self.http.post(self.orders, wish)

    async def placed(self, user: str, amount: object) -> Any:
        """An order that was accepted."""
        return expect(201, await self.order(user, amount))

    async def decided(self, order_id: str, *, within: float = 10) -> Any:
        """The order, once it is no longer NEW."""

        async def order() -> Any:
            found = expect(200, await self.http.get(self.order_url(order_id)))
            assert found["status"] != "NEW", f"still {found}"
            return found

        return await eventually(order, within=within)

    async def cancel(self, order_id: str) -> Answer:
        """Asks for the cancellation of an order, whatever comes of it."""
        return await self.http.post(f"{self.order_url(order_id)}/cancel")

    async def cancelled(self, order_id: str) -> Any:
        """The order, once its cancellation, which was accepted, is over."""
        expect(202, await self.cancel(order_id))
        return await self.ended(order_id)

    async def ended(self, order_id: str, *, within: float = 10) -> Any:
        """The order, once nothing can change it any more."""

        async def order() -> Any:
            found = expect(200, await self.http.get(self.order_url(order_id)))
            assert found["status"] in ("CANCELLED", "REFUNDED"), f"still {found}"
            return found

        return await eventually(order, within=within)

    async def in_batch(self, *items: Any) -> list[Any]:
        """The outcomes of the orders of one batch."""
        outcomes = expect(200, await self.http.post(self.batch, list(items)))
        assert len(outcomes) == len(items)
        return list(outcomes)

    async def balance(self, user: str) -> Decimal:
        return money(expect(200, await self.http.get(self.account_url(user)))["balance"])

    async def orders_of(self, user: str, **filters: str) -> list[Any]:
        query = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in {"userId": user, **filters}.items()
        )
        return list(expect(200, await self.http.get(f"{self.orders}?{query}")))

    async def refuses_what_cannot_be_paid(self, user: str) -> None:
        """Waits until orders are checked before they are stored again, after payments was away.

        This stores orders of the user, which are cancelled.
        """

        async def refused() -> bool:
            return (await self.order(user, "999999999.00")).status == 402

        await eventually(refused, within=15, every=0.3)

    @asynccontextmanager
    async def nothing_changes_for(self, user: str) -> AsyncIterator[None]:
        before = await self._state(user)
        yield
        assert await self._state(user) == before

    async def _state(self, user: str) -> tuple[Any, list[Any]]:
        account = expect(200, await self.http.get(self.account_url(user)))
        return account, await self.orders_of(user)
