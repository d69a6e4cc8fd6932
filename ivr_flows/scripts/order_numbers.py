"""Order numbers of the shop: eight digits, of which the last one checks the others.

Run by the flow `orders`, as `cordboard.yaml` says under `scripts`. Most mistyped numbers are found here, without
asking anybody.
"""

from __future__ import annotations


def check(*, order_no: str) -> dict[str, bool]:
    """`valid`: whether the last digit is the one that the others ask for (Luhn, as on credit cards)."""
    digits = [int(digit) for digit in reversed(order_no)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return {"valid": (sum(digits[::2]) + sum(doubled)) % 10 == 0}
