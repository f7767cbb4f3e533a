"""How sure a number is: bounds at 95 percent for shares and for money a day, where traffic is thin."""

from collections.abc import Sequence
from math import sqrt

_NORMAL = 1.959964
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
)  # fmt: skip
"""Two-sided quantiles of Student's t at 95 percent for 1 to 29 degrees of freedom."""


def share_bounds(part: float, whole: float) -> tuple[float, float]:
    """Return the bounds of a share between 0 and 1: Wilson's interval (1927). Of nothing, all is possible."""
    if whole <= 0:
        return 0.0, 1.0
    share, z2 = min(1.0, part / whole), _NORMAL**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = _NORMAL / (1 + z2 / whole) * sqrt(share * (1 - share) / whole + z2 / (4 * whole**2))
    return min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))


def mean_bounds(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the bounds of the mean of amounts, by Student's t, none below 0; `None` for fewer than two."""
    count = len(values)
    if count < 2:
        return None
    mean = sum(values) / count
    spread = sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    quantile = _STUDENT[count - 2] if count - 2 < len(_STUDENT) else _NORMAL
    reach = quantile * spread / sqrt(count)
    return max(0.0, mean - reach), mean + reach
