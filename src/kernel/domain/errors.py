"""What can go wrong, as few kinds with a machine word each; adapters/http maps the kinds to statuses."""

from kernel.domain.value import value


@value
class FieldError:
    field: str
    message: str


class ShopError(Exception):
    """An outcome that a caller is told: `code` is for machines and stable, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Invalid(ShopError):
    """The input cannot be meant; `errors` names the fields to blame."""

    def __init__(self, detail: str, *errors: FieldError, code: str = "invalid_request") -> None:
        super().__init__(code, detail)
        self.errors = errors

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        return cls(f"{field}: {message}", FieldError(field, message))


class NotFound(ShopError):
    pass


class Conflict(ShopError):
    """The input is fine, but what it asks for is already otherwise."""


class Refused(ShopError):
    """The input is fine, and a rule of the business says no."""


class Unavailable(ShopError):
    """Nothing was done because a server is away or overloaded; the same call may be tried again."""

    def __init__(self, detail: str, *, code: str = "unavailable", retry_after_s: int = 1) -> None:
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


class RateLimited(ShopError):
    """Somebody calls more often than they may; the same call may be tried again later."""

    def __init__(self, policy: str, quota: int, window_s: int, *, retry_after_s: int) -> None:
        """`quota` calls are allowed in `window_s` by `policy`, whose name says whose calls are counted."""
        super().__init__("rate_limited", f"this {policy} may call {quota} times in {window_s} s")
        self.policy = policy
        self.quota = quota
        self.window_s = window_s
        self.retry_after_s = retry_after_s


class Unauthenticated(ShopError):
    """The call has no valid token; the answer does not say which check failed."""

    def __init__(self, *, with_token: bool = False) -> None:
        """`with_token`: there was a token, but it is not valid."""
        super().__init__("unauthorized", "this needs a valid bearer token")
        self.with_token = with_token


class Forbidden(ShopError):
    """The caller may not do this, whatever the state of the shop."""

    def __init__(self, detail: str = "you may not do this") -> None:
        super().__init__("forbidden", detail)


class OutcomeUnknown(ShopError):
    """It was done, or it was not: the answer that would tell was lost."""

    def __init__(self, detail: str) -> None:
        super().__init__("outcome_unknown", detail)


class Contention(Exception):
    """A transaction lost against another one and did nothing; run it again from its start."""


TEMPORARY = (Unavailable, OutcomeUnknown, Contention)
"""What nobody is to blame for: the same work may succeed later."""
