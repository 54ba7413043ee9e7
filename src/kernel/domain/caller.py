"""Who asks, and what they may."""

from enum import StrEnum

from kernel.domain.errors import Forbidden
from kernel.domain.value import value

# Stands in no key that a client can send.
_KEY_SEPARATOR = "\x1f"


class Role(StrEnum):
    ANYONE = "anyone"
    """Where nobody is asked who they are (open mode): anyone may do anything, except as an operator."""
    USER = "user"
    VIEWER = "viewer"
    """Sees all, and changes nothing."""
    OPERATOR = "operator"
    SERVICE = "service"
    """A service that acts for nobody but itself."""


@value
class Caller:
    """Use cases ask it, and take no other way to decide what somebody may see or do."""

    role: Role
    id: str = ""
    """The user id of a person, the name of a service; empty for anyone."""
    service: str = ""
    """The service that says so, where a service calls."""

    def may_see(self, user_id: str) -> bool:
        """Whether what belongs to this user is there for the caller."""
        return self.may_see_all or self._is(user_id)

    @property
    def may_see_all(self) -> bool:
        return self.role in (Role.ANYONE, Role.VIEWER, Role.OPERATOR)

    def may_act_for(self, user_id: str) -> bool:
        return self.role in (Role.ANYONE, Role.OPERATOR) or self._is(user_id)

    def _is(self, user_id: str) -> bool:
        """A service may have a user's name."""
        return self.role is Role.USER and self.id == user_id

    def require_to_act_for(self, user_id: str) -> None:
        """Raises Forbidden."""
        if not self.may_act_for(user_id):
            raise Forbidden()

    def require_service(self) -> None:
        """Raises Forbidden for whoever does not come through a service of the shop."""
        if self.role is not Role.ANYONE and not self.service:
            raise Forbidden()

    def vouching_for(self, user_id: str) -> "Caller":
        """A service has asked this user's token before it joined their call with those of others."""
        return Caller(Role.USER, user_id, self.service) if self.role is Role.SERVICE else self

    def scoped(self, key: str | None, user_id: str) -> str | None:
        """An idempotency key as it is stored: what an operator does for a user never meets the user's own."""
        if key is None or self.role is not Role.OPERATOR or self.id == user_id:
            return key
        return f"{self.id}{_KEY_SEPARATOR}{key}"


ANYONE = Caller(Role.ANYONE)
