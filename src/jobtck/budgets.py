"""How long a run searches, in seconds."""

from typing import Final

BUDGET_SECONDS: Final = 60.0
BUDGET_MIN_SECONDS: Final = 5.0  # less does not start a guest
