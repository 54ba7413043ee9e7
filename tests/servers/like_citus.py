"""Imitates Citus for `shop migrate`: the extension exists, and DDL that Citus refuses is refused.

Citus itself cannot be installed where the suite runs. Refused are the statements that its
`ErrorIfUnsupportedAlterTableStmt` refuses (Citus 12 to 13.2), unnamed constraints, and triggers.
"""

import asyncpg

_STAND_IN = r"""
SET allow_system_table_mods = on;
INSERT INTO pg_extension VALUES (99999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.2-1', NULL, NULL);
CREATE TABLE pg_catalog.pg_dist_schema (schemaid oid PRIMARY KEY);
GRANT SELECT ON pg_catalog.pg_dist_schema TO PUBLIC;

CREATE FUNCTION pg_catalog.citus_schema_distribute(schemaname regnamespace) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE relnamespace = schemaname) THEN
        RAISE EXCEPTION 'copies the rows of %, and blocks its writers', schemaname;
    END IF;
    INSERT INTO pg_catalog.pg_dist_schema VALUES (schemaname);
END $$;

CREATE FUNCTION pg_catalog.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    said text := regexp_replace(current_query(), '\s+', ' ', 'g');
    supported text := '^ ?ALTER TABLE \S+ ('
        '(ADD|DROP) COLUMN|(ADD|DROP|VALIDATE) CONSTRAINT|SET \(|RESET \('
        '|ALTER COLUMN \S+ ((SET DATA )?TYPE|(SET|DROP) (NOT NULL|DEFAULT)))';
    with_constraint text := 'ADD COLUMN .*\y(UNIQUE|PRIMARY KEY|REFERENCES|CHECK|SERIAL|GENERATED)\y';
BEGIN
    IF tg_tag = 'ALTER TABLE' AND NOT EXISTS (
        SELECT FROM pg_event_trigger_ddl_commands() AS done
        JOIN pg_catalog.pg_dist_schema ON to_regnamespace(done.schema_name) = schemaid
    ) THEN
        RETURN;
    ELSIF tg_tag <> 'ALTER TABLE' OR said !~* supported OR said ~* with_constraint THEN
        RAISE EXCEPTION 'refused: %', said USING ERRCODE = 'feature_not_supported';
    END IF;
END $$;
CREATE EVENT TRIGGER refuse_ddl ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'CREATE TRIGGER', 'CREATE RULE')
    EXECUTE FUNCTION pg_catalog.refuse_ddl();
"""


async def stand_in_for_citus(superuser: asyncpg.Connection) -> None:
    """Installs the imitation of Citus in the database of this connection."""
    await superuser.execute(_STAND_IN)
