"""How long a run searches, in seconds."""

from typing import Final

BUDGET_SECONDS: Final = 60.0
QUICK_SECONDS: Final = 20.0  # with beginning, ending and running deviations again less than 30: meson waits so long
BUDGET_MIN_SECONDS: Final = 5.0  # less does not start a guest
