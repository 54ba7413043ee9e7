from kernel.contracts.problems import COMMON, Problems

PROBLEMS = COMMON | Problems(
    {
        "account_frozen": "The account is frozen",
        "account_not_found": "The user has no account",
        "audit_running": "An audit runs already",
        "expired": "The time to pay is over",
        "insufficient_funds": "The balance does not suffice",
        "order_cancelled": "The order is cancelled already",
        "order_not_found": "There is no such order",
        "order_refunded": "The order is refunded already",
    },
    {"account_frozen": 403, "insufficient_funds": 402},
)
