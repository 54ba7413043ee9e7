-- The number of an order gives its id, so that both databases agree on it: a UUIDv7 of a millisecond of its own.
CREATE TEMPORARY TABLE stored AS
SELECT 'user-' || 1 + n % $2 AS user_id, 2 + n / $2 AS sequence, $3 - n / $2 - 1 AS balance, at,
       CAST(lpad(to_hex(CAST(1000 * extract(epoch FROM at) AS bigint)), 12, '0')
            || '70008000' || lpad(to_hex(n), 12, '0') AS uuid) AS id
FROM generate_series(CAST(0 AS bigint), $1 - 1) n,
     LATERAL (SELECT CAST($4 AS timestamptz) + n * interval '1 ms') t (at)
