"""How long a run searches, in seconds."""

from typing import Final

BUDGET_SECONDS: Final = 60.0
QUICK_SECONDS: Final = 15.0  # beginning, ending and running deviations again make 25 of it at most: meson waits for 30
BUDGET_MIN_SECONDS: Final = 5.0  # less does not start a guest
