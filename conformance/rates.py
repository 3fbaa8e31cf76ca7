"""How often something happens, as far as so many observations say it."""

from math import sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


def interval(seen: int, tries: int) -> tuple[float, float]:
    """The Wilson score interval of a rate, both ends between 0 and 1, at a confidence of 95 %.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Unlike the
    normal approximation it is of use where little was seen.
    """
    if not tries:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    rate, spread = seen / tries, z * z / tries
    middle = rate + spread / 2
    half = z * sqrt(rate * (1 - rate) / tries + spread / (4 * tries))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))
