"""Checks, at the start of a use case, that every command's caller may act for its user."""

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
    """Returns one outcome for each command, in order. `work` gets only the commands whose caller may act for
    the command's user. `refusal` makes the outcome of any other command."""
    outcomes = {
        number: refusal(command)
        for number, command in enumerate(commands)
        if not command.caller.may_act_for(command.user_id)
    }
    allowed = [command for number, command in enumerate(commands) if number not in outcomes]
    done = iter(await work(allowed) if allowed else ())
    return [outcomes[number] if number in outcomes else next(done) for number in range(len(commands))]
