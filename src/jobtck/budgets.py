"""How long a run searches, in seconds."""

from typing import Final

BUDGET_SECONDS: Final = 60.0
QUICK_SECONDS: Final = 20.0  # with what comes before and after, half a minute: meson waits so long
BUDGET_MIN_SECONDS: Final = 5.0  # less does not start a guest
