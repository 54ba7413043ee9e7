"""The data folder of a shop as commit dc66a82 left it, before a database had two roles.

Tables, rows and owners come from `pg_dump --inserts` of a folder that `shop up` of that commit made, without
psql's own commands. In it, alice has paid for one order, and got her money back for another. The clusters are
created anew, as that commit did it: with one role, which owns everything.
"""

from pathlib import Path

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.servers.database import connected
from tests.servers.postgres import Template

DUMPS = Path(__file__).parent / "of_dc66a82"


async def make_folder_of_dc66a82(directory: Path, template: Template) -> None:
    for dump in DUMPS.glob("*.sql"):
        folder = template.copy_to(directory / dump.stem)
        with EmbeddedPostgres(folder, database=dump.stem, options={"fsync": "off"}) as server:
            async with connected(server.url) as connection:
                await connection.execute("DROP ROLE service")
                await connection.execute(dump.read_text())
        (folder / "service-password").unlink()
