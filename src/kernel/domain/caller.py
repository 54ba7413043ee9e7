"""Who calls, and what they may see and do."""

from enum import StrEnum

from kernel.domain.errors import Forbidden
from kernel.domain.value import value

# No key that a client can send holds this character.
_KEY_SEPARATOR = "\x1f"


class Role(StrEnum):
    ANYONE = "anyone"
    """Where nobody is asked who they are (open mode): anyone may do anything."""
    USER = "user"
    VIEWER = "viewer"
    """Sees all, and changes nothing."""
    OPERATOR = "operator"
    SERVICE = "service"
    """A service that acts for nobody but itself."""


@value
class Caller:
    """The only place where use cases ask what somebody may see or do."""

    role: Role
    id: str = ""
    """The user id of a person, the name of a service; empty for anyone."""
    service: str = ""
    """The service that vouches for this caller, where a service calls."""

    def may_see(self, user_id: str) -> bool:
        """Whether the caller may see what belongs to this user."""
        return self.may_see_all or self._is(user_id)

    @property
    def may_see_all(self) -> bool:
        return self.role in (Role.ANYONE, Role.VIEWER, Role.OPERATOR)

    def require_to_see_all(self) -> None:
        """Raises Forbidden."""
        if not self.may_see_all:
            raise Forbidden()

    def as_operator(self) -> "Caller":
        """Who acts as an operator: in open mode anyone may. Raises Forbidden."""
        if self.role is Role.ANYONE:
            return Caller(Role.OPERATOR, self.role.value, self.service)
        self.require_operator()
        return self

    def require_operator(self) -> None:
        """Raises Forbidden."""
        if self.role is not Role.OPERATOR:
            raise Forbidden()

    def may_act_for(self, user_id: str) -> bool:
        return self.role in (Role.ANYONE, Role.OPERATOR) or self._is(user_id)

    def _is(self, user_id: str) -> bool:
        """The role is compared too, because a service may have the name of a user."""
        return self.role is Role.USER and self.id == user_id

    def require_service(self) -> None:
        """Raises Forbidden unless a service of the shop calls."""
        if self.role is not Role.ANYONE and not self.service:
            raise Forbidden()

    def vouching_for(self, user_id: str) -> "Caller":
        """The user, where a service joined their call with others: it verified the user's token before."""
        return Caller(Role.USER, user_id, self.service) if self.role is Role.SERVICE else self

    def scoped(self, key: str | None, user_id: str) -> str | None:
        """An idempotency key as it is stored: what an operator does for a user never meets the user's own."""
        if key is None or self.role is not Role.OPERATOR or self.id == user_id:
            return key
        return f"{self.id}{_KEY_SEPARATOR}{key}"

    def key_of_correction(self, key: str) -> str:
        """As it is stored. It meets no key of a deposit, neither this operator's nor the user's."""
        return f"{self.id}{_KEY_SEPARATOR}correction{_KEY_SEPARATOR}{key}"


ANYONE = Caller(Role.ANYONE)
