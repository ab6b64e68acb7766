"""What `retrain plan --why` prints: a decision with all that led to it, as JSON and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.engine.decide import Wait
from runner.printing import reason_data, reason_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.engine.history import Since
    from runner.engine.why import Earlier, Why
    from runner.git import Git

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
    written = git.written(sha)
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
    yield from _earlier_lines(why.earlier, git)
    for one in why.upstream:
        yield from why_lines(one, git)


def _since_line(since: Since, git: Git) -> str:
    if not since.commit:
        return "since no commit: it is a change of the working tree"
    if since.known:
        return f"since {_commit_line(since.commit, git)}"
    return f"at least since {_commit_line(since.commit, git)}; history was not seen further back than that"


def _commit_line(sha: str, git: Git) -> str:
    written = git.written(sha)
    return f"{sha[:_SHORT]} ({written.date}, {written.author}) {written.subject}"


def _earlier_lines(earlier: Earlier | None, git: Git) -> Iterator[str]:
    if earlier is None:
        return
    in_git = earlier.where == "dvc.lock"
    where = f"dvc.lock of {_commit_line(earlier.name, git)}" if in_git else f"{earlier.where}, {earlier.name[:_SHORT]}"
    if earlier.differs:
        yield f"         no earlier run matches; the nearest ({where}) differs in"
        yield from (f"           {reason_line(reason)}" for reason in earlier.differs)
    else:
        lacking = f", but nobody has its {', '.join(earlier.lacking)} any more" if earlier.lacking else ""
        yield f"         an earlier run matches ({where}){lacking}"
