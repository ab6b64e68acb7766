"""The report's one data model: rows of plain values that the walk fills in and every rendering reads."""

from __future__ import annotations

from typing import Final, Literal

# report.py resolves these annotations to read a report again, so they are needed at run time.
from runner.errors import Location  # noqa: TC001
from runner.review.changed import DataRow, LineageRow, PathRow, PlotRow  # noqa: TC001
from runner.review.commit import Commit  # noqa: TC001
from runner.values import dataclass

SCHEMA = 1
Scalar = float | int | bool | str
Status = Literal["passed", "warned", "accepted", "failed", "unmeasured"]
WORST_FIRST: Final[tuple[Status, ...]] = ("failed", "unmeasured", "accepted", "warned", "passed")
Overall = Literal["passed", "warned", "accepted", "failed", "unmeasured", "ungated"]
Outcome = Literal["passed", "warned", "accepted", "failed", "unmeasured", "ungated", "error"]
Unit = Literal["", "bytes", "seconds"]
Decision = Literal[
    "fresh",
    "restored",
    "ran",
    "recorded",
    "failed",
    "skipped",
    "frozen",
    "planned-run",
    "planned-restore",
    "planned-wait",
]


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
class Traffic:
    """Objects moved, or left where they are.

    Attributes:
        objects, bytes: how many, and their sizes together.
        seconds: how long it took; 0 where nothing was moved.

    """

    objects: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Why a stage is stale.

    Attributes:
        change: the kind of change: `dep modified`, `param new`, `cmd`, ...
        path: the dep, out, or params file and key; empty where the change has none.
        was, now: a hash or a value, before and after; `None` where there is none.

    """

    change: str
    path: str = ""
    was: Scalar | None = None
    now: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """What became of a stage.

    Attributes:
        stage: its address.
        decision: what was done, or, after `planned-`, would be.
        reasons: why, if it is not fresh.
        seconds: how long its command ran; `None` where it did not.
        exit_code: of a command that failed.
        why: what went wrong with a stage that failed, in words.
        tail: the last lines that a failed command printed.
        pulled: what was fetched for it.
        recorded_seconds: how long its command took when what it left was really made; `None` where nobody recorded it.
        base_seconds: the same of what the base has.
        cmd: its command; several are joined by line breaks; empty for a data source.
        deps, outs: what it reads and writes, with hashes as the lock has them after the run.

    """

    stage: str
    decision: Decision
    reasons: tuple[ReasonRow, ...] = ()
    seconds: float | None = None
    exit_code: int | None = None
    why: str = ""
    tail: tuple[str, ...] = ()
    pulled: Traffic = Traffic()
    recorded_seconds: float | None = None
    base_seconds: float | None = None
    cmd: str = ""
    deps: tuple[PathRow, ...] = ()
    outs: tuple[PathRow, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Problem:
    """The error that ended the walk.

    Attributes:
        message: what could not be done.
        hint: what to do next; may be empty.
        where: the place at fault, if there is one.
        code: the error's class, `Denied`.

    """

    message: str
    hint: str = ""
    where: Location | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class LockRow:
    """What was done with the lock that the run left.

    Attributes:
        done: in words, and why no more.
        url: the page of the pull request that proposes it; empty where none does.
        commit: the commit that holds it; empty likewise.

    """

    done: str
    url: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a reader should know of one run. It holds no time of day: the same run gives the same bytes.

    Attributes:
        version: the runner's.
        verdict: `error` where the walk ended early or a stage failed, otherwise what the gates say.
        exit_code: what the process ends with.
        command: the verb and its options as given, `retrain run --push passed`.
        head: the candidate.
        base: what it was compared with; `None` where there is no baseline.
        stages: in the pipeline's order.
        edges: (producer stage, consumer stage).
        gates: one row a judged value.
        metrics, params: every value at base and head, changed or not.
        data: tracked data that differs between base and head.
        lineage: where each changed out comes from.
        plots: every plot that either side declares.
        pulled, pushed: what was moved.
        left: objects that the lock names and nobody needed.
        push: what was done about pushing, in words, and why.
        lock: what was done with a changed lock; `None` where the walk did not come to it.
        notes: sentences for the reader.
        error: what ended the walk early.
        seconds: of the whole run.
        claims: metrics files whose values no run that is trusted made.
        override: who accepted failed gates; `None`: nobody did.
        history: the metrics over the last commits of the base branch; `None` where it was not read.
        schema: the version of the JSON Schema.

    """

    version: str
    verdict: Outcome
    exit_code: int
    command: str
    head: Commit
    base: Commit | None = None
    stages: tuple[StageRow, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    gates: tuple[Verdict, ...] = ()
    metrics: tuple[Change, ...] = ()
    params: tuple[Change, ...] = ()
    data: tuple[DataRow, ...] = ()
    lineage: tuple[LineageRow, ...] = ()
    plots: tuple[PlotRow, ...] = ()
    pulled: Traffic = Traffic()
    pushed: Traffic = Traffic()
    left: Traffic = Traffic()
    push: str = ""
    lock: LockRow | None = None
    notes: tuple[str, ...] = ()
    error: Problem | None = None
    seconds: float = 0.0
    claims: tuple[Claim, ...] = ()
    override: Override | None = None
    history: History | None = None
    schema: int = SCHEMA
