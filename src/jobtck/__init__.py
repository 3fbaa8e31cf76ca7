"""jobtck judges job-management APIs by the numbered requirements of one contract."""

from typing import Final

__version__: Final = "0.1.0"
