"""What was measured and judged: values at base and head, what gates say of them, and how they went before."""

from __future__ import annotations

from typing import Final, Literal

# report.py resolves these annotations to read a report again, so they are needed at run time.
from runner.errors import Location  # noqa: TC001
from runner.review.commit import Commit  # noqa: TC001
from runner.values import dataclass

Scalar = float | int | bool | str
Status = Literal["passed", "warned", "accepted", "failed", "unmeasured"]
WORST_FIRST: Final[tuple[Status, ...]] = ("failed", "unmeasured", "accepted", "warned", "passed")
Overall = Literal["passed", "warned", "accepted", "failed", "unmeasured", "ungated"]
Unit = Literal["", "bytes", "seconds"]


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a metrics or params file, at the base and at the head.

    Attributes:
        path: the file, repository-relative.
        key: the dotted key; empty for a document that is a single value.
        base, head: the values; `None` where the value is absent or is not a finite number.
        delta: head minus base, where both are finite numbers (booleans are not).
        why: what a `None` hides, e.g. `head is NaN`; empty for a value that is plainly absent.
        claimed: whether the head's value is only what the commit claims; `Report.claims` says why.

    """

    path: str
    key: str
    base: Scalar | None
    head: Scalar | None
    delta: float | int | None = None
    why: str = ""
    claimed: bool = False

    @property
    def changed(self) -> bool:
        """Whether the two sides differ. A value that is no number never counts as unchanged."""
        return self.base != self.head or type(self.base) is not type(self.head) or bool(self.why)


@dataclass(frozen=True, slots=True)
class Check:
    """One limit of a gate, held against one value.

    Attributes:
        limit: the limit as the gate file writes it: `allow-drop: 2%`.
        status: what it says alone.
        arithmetic: how it was worked out, with every number: `0.91 - 0.9 = 0.01; 0.01 <= 2% of 0.91 = 0.0182`.

    """

    limit: str
    status: Status
    arithmetic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a gate says of one value. All fields are plain values that JSON can carry.

    Attributes:
        gate: the gate's label.
        metric: the metrics file; of a `size` gate the out, of a `duration` gate the stage.
        path: the full path of the judged value in it, as JSONPath text without `$.`; the gate's own
            JSONPath where nothing was found; `size` or `duration`.
        key: the same place as a dotted key, as in `metrics.Change`; empty where nothing was found.
        base, head: the values; `None` where absent or not presentable (`why` says what stood there).
        delta: head minus base.
        limit: the limits in words.
        why: what led to the status, in words.
        where: the rule's place in the gate file.
        exits: whether this verdict alone makes the run end with exit code 1.
        unit: of base, head and delta; empty for a metric, which has none.
        claimed: whether the head's value is only what the commit claims; `Report.claims` says why.
        checks: each limit, and how it was worked out.
        read, base_read: where the two values were read; empty where they were not.
        note: what the reader should know of the limit itself: that it is smaller than the metric's noise.

    """

    gate: str
    metric: str
    path: str
    status: Status
    base: Scalar | None = None
    head: Scalar | None = None
    delta: float | int | None = None
    limit: str
    why: str
    where: Location
    exits: bool = False
    key: str = ""
    unit: Unit = ""
    claimed: bool = False
    checks: tuple[Check, ...] = ()
    read: str = ""
    base_read: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A metrics file whose values are only what the commit claims: no run that is trusted made them.

    Attributes:
        path: the metrics file.
        stage: the stage that makes it; empty: none does.
        why: what this run did instead of making it, in words.
        gated: whether a gate reads it.
        policy: what was done about it: `accept`, `fail`, or, where it should have been made again and could not
            be, `rerun`.

    """

    path: str
    stage: str
    why: str
    gated: bool
    policy: Literal["accept", "rerun", "fail"]


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody with the right to write took the failed gates of one commit on themselves.

    Attributes:
        by: their login.
        label: the label by which they said so.
        sha: the head that it holds for, and no other.

    """

    by: str
    label: str
    sha: str

    @property
    def trailer(self) -> str:
        """Give the line for the message of a commit that this let through."""
        return f"Retrain-Accepted-By: {self.by} (label {self.label}, head {self.sha})"


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric over the commits of a `History`.

    Attributes:
        path, key: as in `Change`.
        values: one for each commit of the history, in its order; `None` where it had none.
        stage: the stage that makes it; empty: none does.

    """

    path: str
    key: str
    values: tuple[float | int | None, ...]
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """The inputs of a stage that changed with a commit.

    Attributes:
        stage: the stage.
        sha: the commit.
        inputs: what changed, in words: `cmd`, `dep train.py`, `param params.yaml:depth`.

    """

    stage: str
    sha: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Metrics over the last commits of the base branch that recorded any.

    Attributes:
        commits: oldest first.
        trends: one for each metric.
        marks: where inputs of the stages behind them changed, oldest first.
        note: why there are fewer commits than asked for; empty: there are not, or history is no longer.

    """

    commits: tuple[Commit, ...]
    trends: tuple[Trend, ...] = ()
    marks: tuple[Mark, ...] = ()
    note: str = ""
