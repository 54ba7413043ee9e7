"""`shop token`: a token for development."""

import click
import msgspec

from kernel.domain.caller import Caller, Role
from kernel.domain.ids import parse_user_id
from shop.services import Shop
from shop.terminal import say, say_facts

MINUTES_MAX = 60 * 24 * 366


def _user_id(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        return parse_user_id(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--user", required=True, callback=_user_id, help="Whose token it is: a user id.")
@click.option("--operator", "role", flag_value=Role.OPERATOR, help="They may do everything.")
@click.option("--viewer", "role", flag_value=Role.VIEWER, help="They see everything and change nothing.")
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, MINUTES_MAX))
@click.option("--json", "as_json", is_flag=True, help="Print facts for programs.")
@click.pass_obj
def token(shop: Shop, user: str, role: Role | None, minutes: int, as_json: bool) -> None:
    """Print a token that `shop up` on the same SHOP_DATA_DIR accepts, for development."""
    from shop.identity import local_token

    signed = local_token(shop.common, Caller(role or Role.USER, user), valid_s=60 * minutes)
    if as_json:
        say_facts(msgspec.json.encode({"token": signed}))
    else:
        say(signed)
