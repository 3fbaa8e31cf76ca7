"""Numbers that were issued, as ranges: a counter needs one, however long it counts."""

from bisect import bisect_right

RANGES_MAX = 1024  # ids drawn at random: the oldest numbers are forgotten, and may then pass for new


class Ranges:
    """A set of whole numbers that remembers neighbours as one range."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []  # one behind the last of each

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and (self._starts, self._ends) == (other._starts, other._ends)

    __hash__ = object.__hash__

    def add(self, number: int) -> None:
        """The number is in the set from now on."""
        at = bisect_right(self._starts, number)
        if at and number < self._ends[at - 1]:
            return
        joins_left = bool(at) and self._ends[at - 1] == number
        joins_right = at < len(self._starts) and self._starts[at] == number + 1
        if joins_left and joins_right:
            self._ends[at - 1] = self._ends.pop(at)
            del self._starts[at]
        elif joins_left:
            self._ends[at - 1] = number + 1
        elif joins_right:
            self._starts[at] = number
        else:
            self._starts.insert(at, number)
            self._ends.insert(at, number + 1)
            if len(self._starts) > RANGES_MAX:
                del self._starts[0], self._ends[0]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number)
        return bool(at) and number < self._ends[at - 1]

    @property
    def greatest(self) -> int:
        """The greatest number in the set; 0 when it is empty."""
        return self._ends[-1] - 1 if self._ends else 0
