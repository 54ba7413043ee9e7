-- 50 orders of 50 users in one transaction, one statement a table, accounts locked in key order.
\set first random(1, :users - 50)
SELECT array_agg(uuidv7()) AS ids, array_agg(uuidv7()) AS transfers FROM generate_series(1, 50) \gset
BEGIN;
INSERT INTO orders (user_id, id, amount, currency, description, status, idempotency_key, ask_again_at, created_at, updated_at)
SELECT 'user-' || (:first + n), id, n, 'RUB', 'a book', 'NEW', id::text, now() + interval '5 s', now(), now()
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS batch (id, n);
INSERT INTO order_history (user_id, order_id, sequence, status, at)
SELECT 'user-' || (:first + n), id, 1, 'NEW', now()
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS batch (id, n);
SELECT user_id FROM accounts
WHERE user_id = ANY (ARRAY (SELECT 'user-' || (:first + n) FROM generate_series(1, 50) n))
ORDER BY user_id FOR UPDATE;
UPDATE accounts SET balance = balance - n, sequence = sequence + 1
FROM generate_series(1, 50) n WHERE user_id = 'user-' || (:first + n);
INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, order_id, balance_after, created_at)
SELECT user_id, sequence, transfer, 'capture', 'user.' || user_id, 'system.revenue', n, batch.id, balance, now()
FROM unnest(CAST(:ids AS uuid[]), CAST(:transfers AS uuid[])) WITH ORDINALITY AS batch (id, transfer, n)
JOIN accounts ON user_id = 'user-' || (:first + n);
INSERT INTO payments (user_id, order_id, decision, transfer_id, created_at)
SELECT 'user-' || (:first + n), id, 'captured', transfer, now()
FROM unnest(CAST(:ids AS uuid[]), CAST(:transfers AS uuid[])) WITH ORDINALITY AS batch (id, transfer, n);
UPDATE orders SET status = 'FINISHED', ask_again_at = NULL, updated_at = now()
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS batch (id, n)
WHERE orders.user_id = 'user-' || (:first + n) AND orders.id = batch.id;
INSERT INTO order_history (user_id, order_id, sequence, status, at)
SELECT 'user-' || (:first + n), id, 2, 'FINISHED', now()
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS batch (id, n);
COMMIT;
