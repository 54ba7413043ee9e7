"""Makes the tables of a peer, as its migrations would: `python -m bench.peers.apps.create MODULE`."""

import sys
from importlib import import_module

from sqlalchemy import create_engine

from bench.peers.apps.tables import Base, database_url

module = import_module(f"bench.peers.apps.{sys.argv[1]}")
Base.metadata.create_all(create_engine(database_url("psycopg")))
if hasattr(module, "migrate"):
    module.migrate()
