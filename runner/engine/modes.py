"""How a run departs from the plain one: which stages are chosen, and what spares a stage from running."""

from __future__ import annotations

from runner.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """The modes of one run; each means what DVC's option of that name means, but for what is said here.

    Attributes:
        force: stages run whatever the lock says, and nothing is restored. Frozen stages, and data that no command
            writes, are left alone.
        single_item: the targets alone, in the order given.
        downstream: the targets and every stage that depends on them, instead of what they need.
        keep_going: what does not depend on a stage that failed goes on.
        allow_missing: a dep or an out that is not there is no reason to run.
        run_cache: past runs are looked up; finished ones are remembered in any case.
        forced: addresses of stages that run as `force` has all of them run.

    """

    force: bool = False
    single_item: bool = False
    downstream: bool = False
    keep_going: bool = False
    allow_missing: bool = False
    run_cache: bool = True
    forced: frozenset[str] = frozenset()


PLAIN = Modes()
