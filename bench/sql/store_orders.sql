INSERT INTO orders (user_id, id, amount, currency, description, status, idempotency_key, created_at, updated_at)
SELECT user_id, id, 1, 'RUB', '', 'FINISHED', id, at, at FROM stored;
INSERT INTO order_history (user_id, order_id, sequence, status, at)
SELECT user_id, id, history.sequence, status, at
FROM stored, (VALUES (1, 'NEW'), (2, 'FINISHED')) history (sequence, status);
