from kernel.contracts.problems import COMMON, Problems

PROBLEMS = COMMON | Problems(
    {
        "account_frozen": "The account is frozen",
        "account_exists": "The user already has an account",
        "account_not_found": "The user has no account",
        "balance_limit": "The balance would exceed its limit",
        "insufficient_funds": "The balance does not suffice",
    },
    {"account_frozen": 403, "insufficient_funds": 402},
)
