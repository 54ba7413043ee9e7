"""PostgreSQL, in layers. Each may import those below it and none above or beside it
(pyproject.toml, "postgres-rooms").

own_checks | migrating  the audit's checks on one database | migrates databases that are in use
    | overview          the figures of a service's tables that operators watch
checks                  checks a database before it is used
messages                inbox, outbox and parked messages
    | operator_record   the record of what operators did
    | outboxes          the audit's queries on the outbox of any service
statements | tables     run statements | the tables that every service has
    | snapshot          reads one database as of one moment, for the audit
audit | connections     how a service declares its checks for `shop audit` | from a URL to a connection
"""
