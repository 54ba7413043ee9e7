"""PostgreSQL, in rooms. Each may import those below it and none above it (pyproject.toml, "postgres-rooms").

own_checks              what must hold in a service's database, looked at
migrating               migrations of databases that are in use
overview                what operators watch in a service's tables
checks                  of a database, before anything is done with it
messages                inbox, outbox and parked messages
operator_record         what operators did
outboxes                what waits to be published, in the database of any service
statements, tables      how statements run, and the tables that every service has
snapshot                one database at one moment
audit                   what a service declares for `shop audit`
connections             from a URL to a connection
"""
