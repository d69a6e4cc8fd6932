"""What the flow `script` has worked out. Nothing is worked out of 0, ever."""

from __future__ import annotations

import time


def twice(*, number: int) -> dict[str, int]:
    """Twice the number; does not come back for 0, and must be killed."""
    while number == 0:
        time.sleep(60)
    return {"number": 2 * number}
