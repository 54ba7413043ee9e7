import asyncio
from typing import Any

import click

from shop.databases import any_databases


@click.command()
@click.argument("user_id")
@click.pass_obj
def points(shop: Any, user_id: str) -> None:
    """Print how many points a user has."""
    with any_databases(shop, ("points",)) as complete:
        click.echo(asyncio.run(_points(complete.settings["points"].database_url, user_id)))


async def _points(url: str, user_id: str) -> int:
    from kernel.wiring.database import CONSOLE, database
    from points.postgres import points_of
    from points.tables import SCHEMA

    async with database(url, SCHEMA, CONSOLE) as engine:
        return await points_of(engine, user_id)
