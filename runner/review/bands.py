"""Statistical limits: what a metric's own history says is usual, as continuous benchmarking has it. Pure.

Three tests, each of them over the last values that the base branch recorded: `z` (the mean and so many standard
deviations), `iqr` (the middle half and so many times its width beyond), `percent` (the mean and a share of it). All in
decimals; too few values are unmeasured, never green.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from runner.review import figures, words
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

Test = Literal["z", "iqr", "percent"]
LAST: Final = 20
SAMPLES: Final = 5
MOST: Final = 1_000
_DIGITS: Final = Context(prec=60, rounding=ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)
"""Roots and quotients do not end: sixty digits are forty more than a double has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A limit that follows from a metric's history.

    Attributes:
        test: how it follows.
        amount: of `z` the number of standard deviations, of `iqr` the multiple of the middle half's width, of `percent`
            the share of the mean (0.05 for 5%).
        last: how many recorded values are looked at, at most.
        samples: how many it takes, at least.
        both: whether a value that is better than usual is outside too.

    """

    test: Test
    amount: Decimal
    last: int = LAST
    samples: int = SAMPLES
    both: bool = False

    def __str__(self) -> str:
        """Give `within 3 standard deviations of the last 20`."""
        amount = figures.exact(self.amount)
        said = {
            "z": f"{amount} standard deviations",
            "iqr": f"{amount} times the middle half's width",
            "percent": f"{figures.percent(self.amount)} of the mean",
        }
        return f"within {said[self.test]} over the last {self.last}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is usual, both ends included, and how they were worked out."""

    low: Decimal
    high: Decimal
    how: str


def bounds(band: Band, samples: Sequence[Decimal]) -> Bounds | str:
    """Give what is usual, or why that cannot be said.

    Args:
        band: the limit.
        samples: values in the order they were recorded; only the last of them count.

    """
    used = samples[-band.last :]
    if len(used) < band.samples:
        return f"{words.count(len(used), 'recorded value')}, where it takes {band.samples}"
    if band.test == "iqr":
        return _of_quartiles(band, used)
    middle = mean(used)
    if band.test == "percent":
        if not middle:
            return "the mean is 0, of which no percentage can be taken"
        reach = _DIGITS.multiply(band.amount, abs(middle))
        share = f"{figures.percent(band.amount)} of it {figures.number(reach)}"
        how = f"mean {figures.number(middle)} of {len(used)}, {share}"
    else:
        spread = deviation(used)
        reach = _DIGITS.multiply(band.amount, spread)
        how = f"mean {figures.number(middle)} and standard deviation {figures.number(spread)} of {len(used)}"
    return Bounds(_DIGITS.subtract(middle, reach), _DIGITS.add(middle, reach), how)


def _of_quartiles(band: Band, samples: Sequence[Decimal]) -> Bounds:
    first, third = quantile(samples, Decimal("0.25")), quantile(samples, Decimal("0.75"))
    width = _DIGITS.subtract(third, first)
    reach = _DIGITS.multiply(band.amount, width)
    how = f"quartiles {figures.number(first)} and {figures.number(third)} of {len(samples)}"
    return Bounds(_DIGITS.subtract(first, reach), _DIGITS.add(third, reach), how)


def mean(samples: Sequence[Decimal]) -> Decimal:
    """Give the arithmetic mean; of equal values exactly that value."""
    if len(set(samples)) == 1:
        return samples[0]
    return _DIGITS.divide(_total(samples), Decimal(len(samples)))


def deviation(samples: Sequence[Decimal]) -> Decimal:
    """Give the standard deviation of a sample (n - 1); of equal values 0."""
    if len(set(samples)) == 1:
        return Decimal(0)
    middle = mean(samples)
    squares = [_DIGITS.power(_DIGITS.subtract(value, middle), 2) for value in samples]
    return _DIGITS.sqrt(_DIGITS.divide(_total(squares), Decimal(len(samples) - 1)))


def quantile(samples: Sequence[Decimal], part: Decimal) -> Decimal:
    """Give the value below which `part` of the samples lie, between two samples by proportion (numpy's rule)."""
    ranked = sorted(samples)
    place = part * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    step = _DIGITS.multiply(place - below, _DIGITS.subtract(ranked[above], ranked[below]))
    return _DIGITS.add(ranked[below], step)


def noise(samples: Sequence[Decimal]) -> Decimal | None:
    """Give how far a metric moves by itself: the middle one of the steps from one recorded value to the next.

    Steps, and the middle of them, so that neither a slow improvement nor a single jump counts as noise. `None` where
    there are too few values to say.
    """
    if len(samples) < SAMPLES:
        return None
    steps = [abs(_DIGITS.subtract(after, before)) for before, after in pairwise(samples)]
    return quantile(steps, Decimal("0.5"))


def _total(values: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _DIGITS.add(total, value)
    return total
