"""What `retrain plan --why` and `retrain gate --explain` print: a decision, or a verdict, with all that led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.engine.decision import Wait
from runner.git import history
from runner.printing import reason_data, reason_line
from runner.review import figures, units
from runner.review.metrics import decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.engine.history import Since
    from runner.engine.why import Earlier, Why
    from runner.git import Git
    from runner.review.measured import Unit, Verdict
    from runner.review.model import Report

_SHORT = 12


def why_data(why: Why, git: Git) -> dict[str, Any]:
    """Give an explanation as JSON; `since` is `null` where commits cannot tell."""
    return {
        "stage": why.stage.address,
        "decision": why.decision.word,
        "reasons": [{**reason_data(reason), "since": _since(since, git)} for reason, since in why.reasons],
        "recorded": None if why.recorded is None else _commit(why.recorded, git),
        "earlier": _earlier(why.earlier, git),
        "upstream": [why_data(one, git) for one in why.upstream],
    }


def _since(since: Since | None, git: Git) -> dict[str, Any] | None:
    return None if since is None else {**_commit(since.commit, git), "known": since.known, "looked": since.looked}


def _commit(sha: str, git: Git) -> dict[str, Any]:
    if not sha:
        return {"commit": None}
    written = history.written(git, sha)
    return {"commit": sha, "date": written.date, "author": written.author, "subject": written.subject}


def _earlier(earlier: Earlier | None, git: Git) -> dict[str, Any] | None:
    if earlier is None:
        return None
    named = _commit(earlier.name, git) if earlier.where == "dvc.lock" else {"record": earlier.name}
    differs = [reason_data(reason) for reason in earlier.differs]
    return {
        "where": earlier.where,
        **named,
        "matches": not differs,
        "differs": differs,
        "lacking": list(earlier.lacking),
    }


def why_lines(why: Why, git: Git) -> Iterator[str]:
    """Give an explanation for people."""
    waits = f" for {', '.join(why.decision.upstream)}" if isinstance(why.decision, Wait) else ""
    yield f"{why.decision.word:<8} {why.stage.address}{waits}"
    for reason, since in why.reasons:
        yield f"         {reason_line(reason)}"
        if since:
            yield f"           {_since_line(since, git)}"
    if why.recorded is not None:
        where = _commit_line(why.recorded, git) if why.recorded else "no commit yet"
        yield f"         its last run is recorded in {where}"
    yield from _earlier_lines(why.earlier, git, " in all that is known yet" if waits else "")
    for one in why.upstream:
        yield from why_lines(one, git)


def _since_line(since: Since, git: Git) -> str:
    if not since.commit:
        return "since no commit: it is a change of the working tree"
    if since.known:
        return f"since {_commit_line(since.commit, git)}"
    return f"at least since {_commit_line(since.commit, git)}; history was not seen further back than that"


def _commit_line(sha: str, git: Git) -> str:
    written = history.written(git, sha)
    return f"{sha[:_SHORT]} ({written.date}, {written.author}) {written.subject}"


def _earlier_lines(earlier: Earlier | None, git: Git, so_far: str) -> Iterator[str]:
    if earlier is None:
        return
    in_git = earlier.where == "dvc.lock"
    where = f"dvc.lock of {_commit_line(earlier.name, git)}" if in_git else f"{earlier.where}, {earlier.name[:_SHORT]}"
    if earlier.differs:
        yield f"         no earlier run matches; the nearest ({where}) differs in"
        yield from (f"           {reason_line(reason)}" for reason in earlier.differs)
    else:
        lacking = f", but nobody has its {', '.join(earlier.lacking)} any more" if earlier.lacking else ""
        yield f"         an earlier run matches{so_far} ({where}){lacking}"


# What `retrain gate --explain` prints.


def gates_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the verdicts with all that led to them; `data` is the report as report.json holds it."""
    return {name: data[name] for name in ("verdict", "exit_code", "base", "gates", "claims", "override", "notes")}


def gate_lines(report: Report) -> list[str]:
    """Give each verdict for people: what was read where, the limits with their arithmetic, and why."""
    base = report.base
    lines = [
        f"compared with {base.sha[:_SHORT]} ({base.how})" if base else "compared with nothing: there is no baseline"
    ]
    for row in report.gates:
        lines += ["", *_verdict_lines(row)]
    lines += [f"note: {note}" for note in report.notes]
    return [*lines, "", f"verdict: {report.verdict}"]


def _verdict_lines(row: Verdict) -> Iterator[str]:
    yield f"{row.metric} {row.path}: {row.status}  ({row.where})"
    for side, value, where in (("base", row.base, row.base_read), ("head", row.head, row.read)):
        told = f"{_amount(value, row.unit)}, from {where}" if value is not None else "none"
        yield f"  {side}: {told}"
    if row.claimed:
        yield "  the head's value is only claimed: no run that is trusted made it"
    for check in row.checks:
        yield f"  {check.limit}: {check.status}{f'  ({check.arithmetic})' if check.arithmetic else ''}"
    yield f"  why: {row.why}"
    if row.note:
        yield f"  note: {row.note}"


def _amount(value: object, unit: Unit) -> str:
    exact = decimal(value)
    return units.exact(exact, unit) if exact is not None else figures.scalar(value)
