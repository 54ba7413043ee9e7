"""Callers, and what they may see and do."""

from enum import StrEnum

from kernel.domain.errors import Forbidden
from kernel.domain.value import value

# Clients cannot send this character in a key.
_KEY_SEPARATOR = "\x1f"


class Role(StrEnum):
    ANYONE = "anyone"
    """Open mode: callers are not authenticated, and may do anything."""
    USER = "user"
    VIEWER = "viewer"
    """Sees everything and changes nothing."""
    OPERATOR = "operator"
    SERVICE = "service"
    """A service that acts for itself, and not for a person."""


@value
class Caller:
    """A caller. This class alone decides what a caller may see and do; use cases ask it."""

    role: Role
    id: str = ""
    """The user id of a person, or the name of a service; empty for anyone."""
    service: str = ""
    """The service that sent the call and vouches for this caller; empty if no service did."""

    def may_see(self, user_id: str) -> bool:
        return self.may_see_all or self._is(user_id)

    @property
    def may_see_all(self) -> bool:
        return self.role in (Role.ANYONE, Role.VIEWER, Role.OPERATOR)

    def require_to_see_all(self) -> None:
        """Raises Forbidden unless the caller may see everything."""
        if not self.may_see_all:
            raise Forbidden()

    def as_operator(self) -> "Caller":
        """Returns this caller as an operator; in open mode anyone is one. Raises Forbidden."""
        if self.role is Role.ANYONE:
            return Caller(Role.OPERATOR, self.role.value, self.service)
        self.require_operator()
        return self

    def require_operator(self) -> None:
        """Raises Forbidden unless the caller is an operator."""
        if self.role is not Role.OPERATOR:
            raise Forbidden()

    def may_act_for(self, user_id: str) -> bool:
        return self.role in (Role.ANYONE, Role.OPERATOR) or self._is(user_id)

    def _is(self, user_id: str) -> bool:
        """Compares the role, too, because a service may have the name of a user."""
        return self.role is Role.USER and self.id == user_id

    def require_service(self) -> None:
        """Raises Forbidden unless a service of the shop calls, or the shop is in open mode."""
        if self.role is not Role.ANYONE and not self.service:
            raise Forbidden()

    def vouching_for(self, user_id: str) -> "Caller":
        """Returns the user as the caller if a service calls, because the gateway joins the calls of many
        users in one and has verified their tokens. Any other caller remains itself."""
        return Caller(Role.USER, user_id, self.service) if self.role is Role.SERVICE else self

    def scoped(self, key: str | None, user_id: str) -> str | None:
        """Returns the idempotency key as it is stored. The key that an operator sends for a user never equals
        a key of that user."""
        if key is None or self.role is not Role.OPERATOR or self.id == user_id:
            return key
        return f"{self.id}{_KEY_SEPARATOR}{key}"

    def key_of_correction(self, key: str) -> str:
        """Returns the stored idempotency key of a correction. It never equals the key of a deposit."""
        return f"{self.id}{_KEY_SEPARATOR}correction{_KEY_SEPARATOR}{key}"


ANYONE = Caller(Role.ANYONE)
