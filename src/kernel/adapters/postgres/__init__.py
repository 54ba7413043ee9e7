"""The PostgreSQL adapter, in layers. A layer may import layers below it, but none above or beside it
(pyproject.toml, "postgres-rooms").

own_checks | migrating  the audit's checks on one database | migrations of databases that are in use
    | overview          the figures of a service's tables that operators watch
checks                  checks of a database before a command uses it
messages                inbox, outbox and parked messages
    | operator_record   the record of what operators did
    | outboxes          the audit's queries on the outbox of any service
statements | tables     SQL statements on the driver | the tables that every service has
    | snapshot          consistent reads of one database, for the audit
audit | connections     the declaration of checks for `shop audit` | URLs, connections and the pool
"""
