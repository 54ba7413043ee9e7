from pathlib import Path

from sqlalchemy import BigInteger, Column, MetaData, Table

from kernel.adapters.postgres.tables import CHANGE, Key, Schema

POINTS = Table(
    "points",
    MetaData(),
    Column("user_id", Key, primary_key=True),
    Column("points", BigInteger, nullable=False),
)

SCHEMA = Schema("points", 1, (POINTS,), versions=Path(__file__).parent / "versions", rights={POINTS: CHANGE})
