from kernel.contracts.problems import COMMON, Problems

PROBLEMS = COMMON | Problems(
    {
        "account_not_found": "The user has no account",
        "insufficient_funds": "The balance does not suffice",
        "order_cancelled": "The order is cancelled already",
        "order_not_found": "There is no such order",
        "order_refunded": "The order is refunded already",
    },
    {"insufficient_funds": 402},
)
