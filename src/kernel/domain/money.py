"""Money is an integer of minor units (kopecks, cents), which is exact and cheap to compare, store and sum."""

import re
from decimal import Decimal

# 2**53 - 1 minor units: every balance stays exact in clients whose numbers are doubles (RFC 8259, section 6).
BALANCE_MAX_MINOR = 9_007_199_254_740_991

AMOUNT_PATTERN = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?"
_AMOUNT = re.compile(AMOUNT_PATTERN)


def parse_amount(text: str) -> int:
    """Returns the minor units of an amount in currency units. Raises ValueError if the text does not match
    AMOUNT_PATTERN or is not above 0."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        if _AMOUNT.fullmatch(text.removeprefix("-")):
            raise ValueError("must be greater than 0")
        raise ValueError(
            "must be a decimal number like 49.90, with at most 12 digits before the point and 2 after it"
        )
    units, point_and_cents = match.groups(".")
    minor = int(units + point_and_cents[1:].ljust(2, "0"))
    if minor == 0:
        raise ValueError("must be greater than 0")
    return minor


def in_units(minor: int) -> Decimal:
    """Returns the amount in currency units, always with two digits after the point."""
    return Decimal(minor).scaleb(-2)
