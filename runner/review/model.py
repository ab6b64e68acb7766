"""The report's one data model: plain values that the walk fills in and every rendering reads."""

from __future__ import annotations

from typing import Literal

# report.py resolves these annotations to read a report again, so they are needed at run time.
from runner.errors import Location  # noqa: TC001
from runner.review.changed import DataRow, LineageRow, PathRow, PlotRow  # noqa: TC001
from runner.review.commit import Commit  # noqa: TC001
from runner.review.measured import Change, Claim, History, Override, Scalar, Verdict  # noqa: TC001
from runner.values import dataclass

SCHEMA = 1
Outcome = Literal["passed", "warned", "accepted", "failed", "unmeasured", "ungated", "error"]
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
