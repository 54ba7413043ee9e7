from collections.abc import Sequence
from dataclasses import dataclass

from kernel.domain.caller import Caller
from kernel.domain.faults import Checked
from kernel.ports.own_checks import OwnChecks
from payments.domain.claims import Claim, Key, KnownPayment
from payments.ports.claims import Claims


@dataclass
class ReadClaims:
    """Reads claims and checks for the audit in orders. All methods raise Forbidden unless a service calls."""

    claims: Claims
    own: OwnChecks

    async def page(
        self, caller: Caller, after: Key | None, until: Key | None, *, limit: int
    ) -> Sequence[Claim]:
        caller.require_service()
        return await self.claims.page(after, until, count_max=limit)

    async def known(self, caller: Caller, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        caller.require_service()
        return await self.claims.known(keys)

    async def checked(self, caller: Caller) -> Sequence[Checked]:
        caller.require_service()
        return await self.own.run()
