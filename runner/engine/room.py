"""Who may run beside whom: what stages ask of the machine, and what is left of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from runner.pipeline.wishes import Resources

_Key = TypeVar("_Key")


def admitted(waiting: Mapping[_Key, Resources], running: Iterable[Resources], whole: Resources) -> list[_Key]:
    """Give who of `waiting`, first come first served, may start beside `running` on a machine that has `whole`.

    Who has to wait keeps its place: nobody behind it takes what it waits for, so a large stage is never starved by
    small ones. What asks for more than there is runs alone.
    """
    free, chosen = whole, []
    for taken in running:
        free -= _capped(taken, whole)
    for key, wanted in waiting.items():
        asked = _capped(wanted, whole)
        if asked.fits(free):
            chosen.append(key)
        free -= asked
    return chosen


def handed_out(count: int, there: Sequence[str], taken: Iterable[Collection[str]]) -> tuple[str, ...]:
    """Give the first `count` of the GPUs that are `there` and nobody has; all that are free, where they are fewer."""
    theirs = {name for names in taken for name in names}
    return tuple(name for name in there if name not in theirs)[:count]


def _capped(asked: Resources, whole: Resources) -> Resources:
    """Give `whole` where more is asked for."""
    return asked if asked.fits(whole) else whole
