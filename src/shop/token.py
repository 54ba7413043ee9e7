"""`shop token`: a token for development."""

import click

from kernel.domain.caller import Caller, Role
from kernel.domain.ids import parse_user_id
from shop.services import Shop
from shop.terminal import json_option, say_result

MINUTES_MAX = 60 * 24 * 366


def _user_id(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        return parse_user_id(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--user", required=True, callback=_user_id, help="Whose token it is: a user id.")
@click.option("--operator", is_flag=True, help="They may do everything.")
@click.option("--viewer", is_flag=True, help="They see everything and change nothing.")
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, MINUTES_MAX))
@json_option
@click.pass_obj
def token(shop: Shop, user: str, operator: bool, viewer: bool, minutes: int, as_json: bool) -> None:
    """Print a token that `shop up` on the same SHOP_DATA_DIR accepts, for development."""
    from shop.identity import local_token

    if operator and viewer:
        raise click.UsageError("Say --operator or --viewer, not both.")
    role = Role.OPERATOR if operator else Role.VIEWER if viewer else Role.USER
    signed = local_token(shop.common, Caller(role, user), valid_s=60 * minutes)
    say_result({"token": signed}, as_json, signed)
