"""PostgreSQL, in rooms. Each may import those below it and none above it (pyproject.toml, "postgres-rooms").

audit                   what a service declares for `shop audit`
migrating               migrations of databases that are in use
checks                  of a database, before anything is done with it
messages                inbox, outbox and parked messages
operator_record         what operators did
statements, tables      how statements run, and the tables that every service has
connections             from a URL to a connection
"""
