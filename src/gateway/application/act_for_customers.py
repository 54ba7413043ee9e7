from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.application.until_known import until_known
from gateway.ports.operators import OperatedAccounts, OperatedOrders
from kernel.domain.caller import Caller
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


@dataclass
class ActForCustomers:
    """What operators do for customers. A repeated act changes nothing, so each is asked for until its outcome
    is known.

    Raises Forbidden, Unavailable where nothing was done, and OutcomeUnknown where nobody knows for 10 s.
    """

    accounts: OperatedAccounts
    orders: OperatedOrders
    clock: Clock

    async def freeze(self, caller: Caller, user_id: str, body: bytes) -> HttpAnswer:
        ask = partial(self.accounts.freeze, caller.as_operator(), user_id, body)
        return await until_known(ask, self.clock)

    async def unfreeze(self, caller: Caller, user_id: str, body: bytes) -> HttpAnswer:
        ask = partial(self.accounts.unfreeze, caller.as_operator(), user_id, body)
        return await until_known(ask, self.clock)

    async def correct(self, caller: Caller, user_id: str, body: bytes, *, key: str) -> HttpAnswer:
        ask = partial(self.accounts.correct, caller.as_operator(), user_id, body, key=key)
        return await until_known(ask, self.clock)

    async def cancel(self, caller: Caller, order_id: UUID, body: bytes) -> HttpAnswer:
        ask = partial(self.orders.cancel, caller.as_operator(), order_id, body)
        return await until_known(ask, self.clock)
