"""Room 8: both sides' metrics and params, and what the gates say of them, into the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from runner.errors import Exit
from runner.review import claims, gate, metrics, trends
from runner.review.metrics import Unreadable
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from runner.engine.times import Times
    from runner.review.gate import Gate, Past
    from runner.review.measured import Change, Claim, History, Override, Status, Verdict
    from runner.review.metrics import Documents
    from runner.review.model import Report
    from runner.review.sides import Side
    from runner.review.trends import Line

_SHORT = 7


class ReadLine(Protocol):
    """Finds the last commits of the base branch that recorded any of `files`; see `trends.line`."""

    def __call__(self, files: Sequence[str], last: int, *, deepen: bool) -> Line:
        """Give them, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is judged.

    Attributes:
        gates: the gate file's rules.
        event: GitHub's name of the event, for gates that are judged at some events only; empty: all are judged.
        head: the candidate.
        base: what it is compared with; `None` where there is nothing.
        base_sha: its commit.
        lost: why there is no base, although something came before the candidate; empty: nothing did, or it is `base`.
        doubtful: outs whose content no stage of this run vouches for, and why: their metrics count as unreadable.
        grounds: what is known of how metrics came to be.
        old_name: gives the name that a metrics file had at the base, where it has another one now.
        times: how long earlier runs took; `None` where nothing is run.
        line: reads what the base branch recorded before; `None` where there is no base.

    """

    gates: Sequence[Gate]
    event: str
    head: Side
    base: Side | None
    base_sha: str = ""
    lost: str = ""
    doubtful: Mapping[str, str] = field(default_factory=dict)
    grounds: claims.Grounds = field(default_factory=claims.Grounds)
    old_name: Callable[[str], str] | None = None
    times: Times | None = None
    line: ReadLine | None = None


def judged(report: Report, case: Case) -> Report:
    """Give the report with metrics, params, claims, history, verdicts and the exit code that follows."""
    head, base = case.head, case.base
    rules = gate.applying(case.gates, case.event)
    gated = [one.file for one in case.gates if not one.unit]
    paths = sorted({*gated, *head.metrics_files(), *(base.metrics_files() if base else ())})
    now = {**head.documents(paths), **_doubted(paths, case.doubtful)}
    before = base.documents(paths) if base else None
    claimed = claims.claims({path: path in gated for path in now}, head, base, case.grounds)
    renamed = _renamed(case, gated, before)
    before_base = _past(case, rules, paths, renamed[0])
    verdicts = gate.judge(
        rules,
        {**now, **_quantities(case, rules, head), **_doubted_sizes(case, rules)},
        _none(case) if base is None or before is None else {**before, **renamed[1], **_quantities(case, rules, base)},
        past=before_base.values,
    )
    verdicts = tuple(_with_origins(_by_claims(verdicts, rules, claimed), case, renamed[0]))
    shown = metrics.compare(
        base.shown(before) if base and before else before, head.shown(now), claimed={one.path for one in claimed}
    )
    made = replace(
        report,
        gates=verdicts,
        metrics=shown,
        params=_params(head, base),
        claims=claimed,
        history=_history(before_base, verdicts, shown),
    )
    return _concluded(made)


def _none(case: Case) -> Unreadable | None:
    return Unreadable(case.lost) if case.lost else None


def _concluded(report: Report) -> Report:
    """Give the report with the verdict and the exit code that its gates lead to."""
    code = Exit.GATE if any(verdict.exits for verdict in report.gates) else Exit.HELD
    return replace(report, verdict=gate.overall(report.gates), exit_code=code)


def accepted(report: Report, override: Override) -> Report:
    """Give the report with its failed gates accepted by somebody; what is unmeasured nobody can accept."""
    told = f"accepted by {override.by} (label {override.label})"
    rows = tuple(
        replace(row, status="accepted", exits=False, why=f"{row.why}; {told}")
        if row.status == "failed" and row.exits
        else row
        for row in report.gates
    )
    return _concluded(replace(report, gates=rows, override=override, notes=(*report.notes, override.trailer)))


def _doubted(paths: Iterable[str], doubtful: Mapping[str, str]) -> dict[str, Unreadable]:
    """Give what stands for outs, and files in them, that nobody vouches for: nobody measured them."""
    outs = {path: [path, *(str(folder) for folder in PurePosixPath(path).parents)] for path in paths}
    found = {path: next((one for one in places if one in doubtful), "") for path, places in outs.items()}
    return {path: Unreadable(doubtful[out], unrecorded=True) for path, out in found.items() if out}


def _doubted_sizes(case: Case, rules: Sequence[Gate]) -> dict[str, Unreadable]:
    sizes = {one.source: one.file for one in rules if one.unit == "bytes"}
    found = _doubted(sizes.values(), case.doubtful)
    return {source: found[path] for source, path in sizes.items() if path in found}


def _params(head: Side, base: Side | None) -> tuple[Change, ...]:
    return metrics.compare(base.params() if base else None, head.params(), others=metrics.as_json)


# Sizes and durations.


def _quantities(case: Case, rules: Sequence[Gate], side: Side, *, near: bool = False) -> dict[str, object]:
    """Give what gates of a unit judge, by `Gate.source`."""
    found: dict[str, object] = {}
    for one in rules:
        if one.unit == "bytes":
            found[one.source] = side.size(one.file)
        elif one.unit == "seconds":
            found[one.source] = _seconds(case.times, side, one.file, near=near)
    return found


def _seconds(times: Times | None, side: Side, address: str, *, near: bool) -> float | Unreadable:
    pipeline = side.pipeline
    known = {stage.address for stage in pipeline.stages} if pipeline else set()
    if address not in known or pipeline is None:
        return Unreadable(f"there is no stage {address}")
    entry = pipeline.entries.get(address)
    if entry is None:
        return Unreadable(f"the stage {address} has never run", unrecorded=True)
    found = times.lookup(entry, near=near) if times else None
    why = f"nobody recorded how long {address} took when it last ran: runs of `retrain run` do"
    return Unreadable(why, unrecorded=True) if found is None else found


# What was before.


@dataclass(frozen=True, slots=True)
class _Before:
    """What the base branch recorded.

    Attributes:
        line: its last commits that recorded anything; `None` where there is no base.
        documents: metrics files at each of them.
        values: by `Gate.source`, each content once: a commit that only left a file as it was is no sample of it.

    """

    line: Line | None = None
    documents: Past = field(default_factory=dict)
    values: Past = field(default_factory=dict)


def _past(case: Case, rules: Sequence[Gate], paths: Sequence[str], names: Mapping[str, str]) -> _Before:
    """Read what the base branch recorded; the remote and more history are asked only for what a band needs.

    Args:
        case: what is judged.
        rules: the gates that are.
        paths: metrics files.
        names: what those were called at the base that have another name now: there they are read by that.

    """
    if case.line is None:
        return _Before()
    objects = case.head.objects
    lasts: dict[str, int] = {}
    for one in rules:
        lasts[one.source] = max(lasts.get(one.source, 0), one.band.last if one.band else 0)
    judged_by = {one.source: replace(one, file=names.get(one.file, one.file)) for one in rules}
    own = {name: case.line([judged_by[name].file], last, deepen=True) for name, last in lasts.items() if last}
    then = {path: names.get(path, path) for path in paths}
    line = case.line([*then.values(), *(one.file for one in rules if one.unit)], trends.LAST, deepen=False)
    near = [one.side(objects.near() if objects else None, trends.LARGEST) for one in line.moments]
    documents = {path: [side.documents([old]).get(old) for side in near] for path, old in then.items()}
    values = {
        name: _samples(case, one, [moment.side(objects) for moment in own[name].moments] if name in own else near)
        for name, one in judged_by.items()
    }
    return _Before(line, documents, values)


def _samples(case: Case, one: Gate, several: Sequence[Side]) -> list[object]:
    """Give what a gate would have read at each of several commits, where that is not what the one before had."""
    versions = [side.version(one.file) for side in several]
    fresh = [side for side, now, then in zip(several, versions, [None, *versions], strict=False) if now != then]
    if one.unit:
        return [_quantities(case, [one], side, near=not one.band)[one.source] for side in fresh]
    return [side.documents([one.file]).get(one.file) for side in fresh]


def _history(before: _Before, verdicts: Sequence[Verdict], shown: Sequence[Change]) -> History | None:
    if before.line is None:
        return None
    gated = [(row.metric, row.key) for row in verdicts if not row.unit]
    changed = [(row.path, row.key) for row in shown if row.changed]
    return trends.history(before.line, [*gated, *changed, *((row.path, row.key) for row in shown)], before.documents)


# Claims, renames, origins.


def _renamed(case: Case, gated: Sequence[str], before: Documents | None) -> tuple[dict[str, str], dict[str, object]]:
    """Give the old names of gated metrics files that the base does not have by that name, and what stands in those."""
    names: dict[str, str] = {}
    if case.base is None or before is None or case.old_name is None:
        return names, {}
    for path in dict.fromkeys(gated):
        if path not in before and (old := case.old_name(path)):
            names[path] = old
    found = case.base.documents(names.values())
    return names, {path: found[old] for path, old in names.items() if old in found}


def _by_claims(verdicts: Sequence[Verdict], rules: Sequence[Gate], found: Sequence[Claim]) -> Iterator[Verdict]:
    """Mark what is only claimed, and let the policy decide what that is worth."""
    by_path = {one.path: one for one in found}
    blocking = {(one.label, one.where) for one in rules if one.severity == "fail"}
    for verdict in verdicts:
        claim = None if verdict.unit else by_path.get(verdict.metric)
        yield _as_claimed(verdict, claim, blocks=(verdict.gate, verdict.where) in blocking) if claim else verdict


def _as_claimed(verdict: Verdict, claim: Claim, *, blocks: bool) -> Verdict:
    marked = replace(verdict, claimed=True)
    if (
        claim.policy == "accept"
        or verdict.status == "failed"
        or (claim.policy, verdict.status) == ("rerun", "unmeasured")
    ):
        return marked
    status: Status = "unmeasured"
    why = f"only claimed: {claim.why}; it was not made again"
    if claim.policy == "fail":
        status, why = ("failed" if blocks else "warned"), f"only claimed: {claim.why}"
    return replace(marked, status=status, why=why, exits=blocks)


def _with_origins(verdicts: Iterable[Verdict], case: Case, renamed: Mapping[str, str]) -> Iterator[Verdict]:
    """Say where the two values were read: asked once a file, however many values of it are judged."""
    at = f"at {case.base_sha[:_SHORT]}"
    reads = cache(case.head.origin)
    base_reads = cache(case.base.origin if case.base else lambda _: "")
    for verdict in verdicts:
        if verdict.unit == "seconds":
            read, base_read = "the record of its last run", f"the record of its run {at}"
        else:
            old = renamed.get(verdict.metric, verdict.metric)
            was = f" ({old}, which has another name now)" if old != verdict.metric else ""
            read, base_read = reads(verdict.metric), f"{base_reads(old)} {at}{was}"
        yield replace(verdict, read=read, base_read="" if verdict.base is None else base_read)


def noise(report: Report) -> tuple[str, ...]:
    """Say once a gate that its limit is smaller than what the metric moves by itself."""
    first: dict[str, Verdict] = {}
    for row in report.gates:
        if row.note:
            first.setdefault(row.gate, row)
    counts = Counter(row.gate for row in report.gates if row.note)
    return tuple(
        f"{name}: {row.note}{f' (and so for {counts[name] - 1} more of its values)' if counts[name] > 1 else ''}"
        for name, row in first.items()
    )


def skipped(case: Case) -> tuple[str, ...]:
    """Name the gates that this event leaves out: what nobody judged is not what held."""
    judged_ = gate.applying(case.gates, case.event)
    left = [one for one in case.gates if one not in judged_]
    return tuple(f"not judged at {case.event}: {one.label} (when: {', '.join(one.when)})" for one in left)


def gone(case: Case) -> tuple[str, ...]:
    """Name what the base has and the head lacks: stages, and stages behind a gate's metrics.

    What nobody runs any more, nobody vouches for either: such a metric is a number that somebody committed.
    """
    if not (case.base and case.base.pipeline):
        return ()
    head, base = case.head.pipeline, case.base.pipeline
    now = {stage.address for stage in head.stages} if head else set()
    lost = [stage.address for stage in base.stages if stage.address not in now]
    unmade = [
        f"no stage writes {path} any more, which {made[0].address} of the base wrote: its values are only claimed"
        for path in dict.fromkeys(one.file for one in case.gates)
        if (made := base.producer(path)) and not (head and head.producer(path))
    ]
    return (*(f"the stage {address} of the base is gone" for address in lost), *unmade)
