"""Who may act for whom: checked for every command where a use case begins."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from kernel.domain.acts import Command
from kernel.domain.errors import Forbidden, ShopError

C = TypeVar("C", bound=Command)
R = TypeVar("R")


async def for_own_users(
    commands: Sequence[C],
    work: Callable[[Sequence[C]], Awaitable[Sequence[R | ShopError]]],
    refusal: Callable[[C], ShopError] = lambda _: Forbidden(),
) -> list[R | ShopError]:
    """The outcomes of `work`, in order; it never sees a command whose caller may not act for its user."""
    outcomes = {
        number: refusal(command)
        for number, command in enumerate(commands)
        if not command.caller.may_act_for(command.user_id)
    }
    if not outcomes:
        return list(await work(commands))
    allowed = [command for number, command in enumerate(commands) if number not in outcomes]
    done = iter(await work(allowed) if allowed else ())
    return [outcomes[number] if number in outcomes else next(done) for number in range(len(commands))]
