-- One order, all of its effects and nothing else: no message, no inbox, no HTTP.
\set user random(1, :users)
\set amount random(1, 100)
BEGIN;
INSERT INTO orders (user_id, id, amount, currency, description, status, idempotency_key, ask_again_at, created_at, updated_at)
VALUES ('user-' || :user::text, uuidv7(), :amount, 'RUB', 'a book', 'NEW', uuidv7()::text, now() + interval '5 s', now(), now())
RETURNING id \gset
INSERT INTO order_history (user_id, order_id, sequence, status, at)
VALUES ('user-' || :user::text, :id, 1, 'NEW', now());
UPDATE accounts SET balance = balance - :amount, sequence = sequence + 1
WHERE user_id = 'user-' || :user::text AND balance >= :amount
RETURNING balance, sequence \gset
INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, order_id, balance_after, created_at)
VALUES ('user-' || :user::text, :sequence, uuidv7(), 'capture', 'user.user-' || :user::text, 'system.revenue', :amount, :id, :balance, now())
RETURNING id AS transfer \gset
INSERT INTO payments (user_id, order_id, decision, transfer_id, created_at)
VALUES ('user-' || :user::text, :id, 'captured', :transfer, now());
UPDATE orders SET status = 'FINISHED', ask_again_at = NULL, updated_at = now()
WHERE user_id = 'user-' || :user::text AND id = :id;
INSERT INTO order_history (user_id, order_id, sequence, status, at)
VALUES ('user-' || :user::text, :id, 2, 'FINISHED', now());
COMMIT;
