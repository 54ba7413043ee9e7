"""Errors that callers are told, one class for each kind. adapters/http maps each kind to an HTTP status."""

from kernel.domain.value import value


@value
class FieldError:
    field: str
    message: str


class ShopError(Exception):
    """`code` is a stable word for programs, and `detail` is a text for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Invalid(ShopError):
    """The input is malformed or not allowed; `errors` names the fields that are at fault."""

    def __init__(self, detail: str, *errors: FieldError, code: str = "invalid_request") -> None:
        super().__init__(code, detail)
        self.errors = errors

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        return cls(f"{field}: {message}", FieldError(field, message))


class NotFound(ShopError):
    pass


class Conflict(ShopError):
    """The input is valid, but conflicts with the present state, such as an account that exists already."""


class Refused(ShopError):
    """The input is valid, but a business rule refuses it, such as an order above the balance."""


class Unavailable(ShopError):
    """Nothing was done, because a server is away or overloaded. The same call may be tried again."""

    retry_after_s = 1

    def __init__(self, detail: str, *, code: str = "unavailable") -> None:
        super().__init__(code, detail)


class RateLimited(ShopError):
    """The caller exceeded a rate limit. The same call may be tried again after `retry_after_s` seconds."""

    def __init__(self, policy: str, quota: int, window_s: int, *, retry_after_s: int) -> None:
        """`policy` allows `quota` calls in `window_s` seconds. Its name says whether it counts the calls of a
        user or the calls from an address."""
        super().__init__("rate_limited", f"this {policy} may call {quota} times in {window_s} s")
        self.policy = policy
        self.quota = quota
        self.window_s = window_s
        self.retry_after_s = retry_after_s


class Unauthenticated(ShopError):
    """The call has no valid token. The answer does not say which check failed."""

    def __init__(self, *, with_token: bool = False) -> None:
        """`with_token` is True if the call had a token, but an invalid one."""
        super().__init__("unauthorized", "this needs a valid bearer token")
        self.with_token = with_token


class Forbidden(ShopError):
    """The caller may not do this, whatever the state of the shop."""

    def __init__(self, detail: str = "you may not do this") -> None:
        super().__init__("forbidden", detail)


class OutcomeUnknown(ShopError):
    """The answer was lost, so it is unknown whether the work was done."""

    def __init__(self, detail: str) -> None:
        super().__init__("outcome_unknown", detail)


class Contention(Exception):
    """The transaction lost a race against another one and was rolled back. Run it again from its start."""


TEMPORARY = (Unavailable, OutcomeUnknown, Contention)
"""Errors after which the same work may succeed when it is tried again."""
