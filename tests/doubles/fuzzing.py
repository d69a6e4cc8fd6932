"""How many examples a fuzz test tries: a share of CORDBOARD_FUZZ_EXAMPLES (24,000 by default)."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

TOTAL = int(os.environ.get("CORDBOARD_FUZZ_EXAMPLES", "24000"))


def examples(share: float) -> Any:
    """Hypothesis settings for a test that takes this share of all examples."""
    return settings(
        max_examples=max(20, round(TOTAL * share)),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
