"""How often something happens, as far as so many observations say it."""

from math import exp, lgamma, sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
ROUNDING: Final = 1e-7  # of logarithms that are equal
SURELY_OTHER: Final = 0.001  # how unlikely it must be that two rates are the same, before they count as two


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


def are_alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Both may have the same rate; each is how often it was seen, and in how many tries.

    Source: Fisher's exact test, two-sided: as likely as what was seen, or less, is what could have been seen instead.
    """
    (seen, tries), (other_seen, other_tries) = one, other
    seen_in_all, all_tries = seen + other_seen, tries + other_tries
    least, most = max(0, seen_in_all - other_tries), min(tries, seen_in_all)
    likely = [_log_ways(tries, each) + _log_ways(other_tries, seen_in_all - each) for each in range(least, most + 1)]
    in_all = _log_ways(all_tries, seen_in_all)
    limit = likely[seen - least] + ROUNDING
    return sum(exp(each - in_all) for each in likely if each <= limit) >= SURELY_OTHER


def _log_ways(of: int, chosen: int) -> float:
    """The logarithm of the number of ways to choose some of so many."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)
