INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, order_id, balance_after, created_at)
SELECT user_id, sequence, id, 'capture', 'user:' || user_id, 'system:revenue', 1, id, balance, at FROM stored;
INSERT INTO payments (user_id, order_id, decision, transfer_id, created_at)
SELECT user_id, id, 'captured', id, at FROM stored;
UPDATE accounts SET sequence = last.sequence, balance = last.balance
FROM (SELECT user_id, max(sequence) AS sequence, min(balance) AS balance FROM stored GROUP BY user_id) last
WHERE accounts.user_id = last.user_id;
