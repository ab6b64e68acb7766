"""What verbs print: plain rows for JSON, short lines for people."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runner import log
from runner.review import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.asked import Asked
    from runner.engine.decision import Reason
    from runner.engine.plan import Plan, Pull, Step
    from runner.engine.project import Project
    from runner.engine.updating import Update
    from runner.pipeline.declared import Declared, Plot
    from runner.pipeline.model import LockedPath, Out, Stage
    from runner.review.model import Report
    from runner.store.moved import Moved

_SHORT = 12
_MOST_REASONS = 5
_MOST_TEXT = 40
_BEFORE = 10


def json_line(value: Any) -> str:  # noqa: ANN401 - JSON
    """Give JSON on one line, without secrets, and without what the Actions runner takes for a command anywhere in it.

    Numbers and the shape stay as they are, whatever a secret looks like.
    """
    return json.dumps(_masked(value), allow_nan=False).replace("##[", "##\\u005b")


def json_pieces(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Give what `json_line` does piece by piece: what the value holds, and what lists in it do, is made one by one."""
    if not isinstance(value, Mapping):
        yield from _listed(value)
        return
    before = "{"
    for name, part in value.items():
        yield f"{before}{json_line(name)}: "
        yield from _listed(part)
        before = ", "
    yield "}" if before == ", " else "{}"


def _listed(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
        yield json_line(value)
        return
    before = "["
    for part in value:
        yield f"{before}{json_line(part)}"
        before = ", "
    yield "]" if before == ", " else "[]"


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return log.masked(value)
    if isinstance(value, dict):
        return {log.masked(name): _masked(part) for name, part in value.items()}
    return [_masked(part) for part in value] if isinstance(value, (list, tuple)) else value


def plan_data(asked: Asked, plan: Plan) -> dict[str, Any]:
    """Give a plan as `retrain plan --json` prints it."""
    base = asked.base
    return {
        "head": asked.head.sha or None,
        "base": {"sha": base.sha, "how": base.how} if base else None,
        "stages": [
            {
                "stage": step.stage.address,
                "decision": step.decision.word,
                "reasons": [reason_data(reason) for reason in step.decision.reasons],
                "pull": _pull(step.pull),
            }
            for step in plan.steps
        ],
        "pull": _pull(plan.pull),
    }


def reason_data(reason: Reason) -> dict[str, Any]:
    """Give a reason as JSON has it: values that JSON cannot carry become their names."""
    return {
        "change": reason.change.value,
        "path": reason.path,
        "was": _finite(reason.was),
        "now": _finite(reason.now),
    }


def _finite(value: Any) -> Any:  # noqa: ANN401 - any value of a params file
    """Give a value that strict JSON can carry: what is no finite number becomes its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _pull(pull: Pull) -> dict[str, int]:
    return {"objects": pull.objects, "bytes": pull.bytes}


def plan_lines(asked: Asked, plan: Plan) -> list[str]:
    """Give a plan for people: one line a stage that is not fresh, its reasons below, then a summary."""
    lines = [f"compared with {asked.base.sha[:_SHORT]} ({asked.base.how})"] if asked.base else []
    for step in plan.steps:
        if step.decision.word != "fresh":
            lines += [f"{step.decision.word:<8} {step.stage.address}{_wanted(step)}", *_reason_lines(step)]
    stale = sum(step.is_stale for step in plan.steps)
    lines.append(f"{stale} of {words.count(len(plan.steps), 'stage')} stale; {_moved(plan.pull)} to pull")
    return lines


def _wanted(step: Step) -> str:
    return f"  ({_moved(step.pull)} to pull)" if step.pull.objects else ""


def _moved(pull: Pull) -> str:
    return f"{words.count(pull.objects, 'object')}, {words.size(pull.bytes)}" if pull.objects else "nothing"


def _reason_lines(step: Step) -> Iterator[str]:
    reasons = step.decision.reasons
    for reason in reasons[:_MOST_REASONS]:
        yield f"         {reason_line(reason)}"
    if len(reasons) > _MOST_REASONS:
        yield f"         and {len(reasons) - _MOST_REASONS} more"
    if step.decision.word == "wait":
        yield f"         for {', '.join(step.decision.upstream)}"  # type: ignore[union-attr]


def reason_line(reason: Reason) -> str:
    """Give a reason for people: what changed, from what, to what."""
    return f"{f'{reason.change.value} {reason.path}'.rstrip()}{_difference(reason)}"


def _difference(reason: Reason) -> str:
    if reason.was is None and reason.now is None:
        return ""
    was, now = ("nothing" if side is None else _value(side) for side in (reason.was, reason.now))
    longest = max(len(was), len(now))
    differ = (place for place in range(longest) if was[place : place + 1] != now[place : place + 1])
    start = max(0, next(differ, 0) - _BEFORE) if longest > _MOST_TEXT else 0
    return f": {_cut(was, start)} -> {_cut(now, start)}"


def _value(value: Any) -> str:  # noqa: ANN401 - any value of a params file
    """Give a value on one line."""
    is_plain = isinstance(value, str) and value.isprintable()
    return value if is_plain else json.dumps(_finite(value), ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    """Give what is read of a long text: of two that differ, from a little before where they do."""
    end = start + _MOST_TEXT
    return f"{'...' if start else ''}{text[start:end]}{'...' if len(text) > end else ''}"


def plan_outputs(plan: Plan) -> dict[str, str]:
    """Give the action's outputs that a plan knows."""
    stale = [step.stage.address for step in plan.steps if step.is_stale]
    return {"stale-stages": "\n".join(stale), "changed": "true" if stale else "false"}


def stages_data(project: Project, stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Give stages as `retrain stages --json` prints them."""
    return [_stage(project, stage) for stage in stages]


def _stage(project: Project, stage: Stage) -> dict[str, Any]:
    entry = project.pipeline.entries.get(stage.address)
    return {
        "stage": stage.address,
        "cmd": list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd,
        "wdir": stage.wdir,
        "deps": [dep.path for dep in stage.deps],
        "params": {param.path: list(param.keys) for param in stage.params},
        "outs": [_out(out, entry.out(out.spelled) if entry else None) for out in stage.outs],
        "frozen": stage.frozen,
        "always_changed": stage.always_changed,
    }


def _out(out: Out, recorded: LockedPath | None) -> dict[str, Any]:
    return {
        "path": out.path,
        "cache": out.cache,
        "persist": out.persist,
        "push": out.push,
        "metric": out.metric,
        "plot": out.plot,
        "remote": out.remote or None,
        "hash": recorded.hash.value if recorded and recorded.hash else None,
    }


def stages_lines(stages: Sequence[Stage]) -> list[str]:
    """Give the stages for people: address, command, what it reads and writes."""
    lines = []
    for stage in stages:
        cmd = " && ".join(stage.cmd) if isinstance(stage.cmd, tuple) else (stage.cmd or "").strip()
        lines.append(f"{stage.address}: {cmd}" if cmd else stage.address)
        reads = [dep.path for dep in stage.deps]
        reads += [f"{param.path}:{','.join(param.keys) or '*'}" for param in stage.params]
        lines += [f"  reads  {' '.join(reads)}"] if reads else []
        lines += [f"  writes {' '.join(out.path for out in stage.outs)}"] if stage.outs else []
    return lines


def sections_data(declared: Declared) -> dict[str, Any]:
    """Give what dvc.yaml files declare beside stages as `retrain stages --sections --json` prints it."""
    return {
        "params": list(declared.params),
        "metrics": list(declared.metrics),
        "plots": [_finite(asdict(plot)) for plot in declared.plots],
        "artifacts": [_finite(asdict(artifact)) for artifact in declared.artifacts],
        "datasets": [_finite(asdict(dataset)) for dataset in declared.datasets.values()],
    }


def sections_lines(declared: Declared) -> list[str]:
    """Give what dvc.yaml files declare beside stages for people, one line each."""
    lines = [f"params   {path}" for path in declared.params]
    lines += [f"metrics  {path}" for path in declared.metrics]
    lines += [f"plot     {plot.id}: {_drawn(plot)}" for plot in declared.plots]
    for artifact in declared.artifacts:
        kind = f" ({artifact.type})" if artifact.type else ""
        lines.append(f"artifact {artifact.name}: {artifact.path}{kind}")
    for dataset in declared.datasets.values():
        lines.append(f"dataset  {dataset.name}: {dataset.spec['url']} ({dataset.spec['type']})")
    return lines


def _drawn(plot: Plot) -> str:
    ys = [f"{', '.join(fields)} of {path}" if fields else path for path, fields in plot.y.items()]
    over = plot.x if isinstance(plot.x, str) else ", ".join(f"{field} of {path}" for path, field in plot.x.items())
    return f"{'; '.join(ys)} over {over}" if over else "; ".join(ys)


def moved_data(moved: Moved) -> dict[str, Any]:
    """Give what a transfer did, for JSON."""
    return {
        "objects": moved.objects,
        "bytes": moved.bytes,
        "seconds": round(moved.seconds, 3),
        "failed": [{"name": failure.name, "why": failure.error.message} for failure in moved.failed],
    }


def failure_lines(moved: Moved) -> Iterator[str]:
    """Give why objects were not moved, each reason once, with what to do below it."""
    for said, objects in Counter(str(failure.error) for failure in moved.failed).items():
        yield said if objects == 1 else f"{words.count(objects, 'object')}: {said}"


def moved_lines(verb: str, moved: Moved) -> Sequence[str]:
    """Give what a transfer did, for people."""
    rate = f", {words.size(round(moved.bytes / moved.seconds))}/s" if moved.bytes and moved.seconds else ""
    done = f"{words.count(moved.objects, 'object')}, {words.size(moved.bytes)}, {words.seconds(moved.seconds)}"
    did = f"{verb}: {done}{rate}"
    return [f"{did}; {len(moved.failed)} failed" if moved.failed else did]


def updates_data(updates: Sequence[Update]) -> list[dict[str, Any]]:
    """Give what became of imports, as `retrain update --json` prints it."""
    return [
        {
            "file": one.stage.file,
            "out": one.stage.outs[0].path,
            "source": one.stage.deps[0].path,
            "was": one.was or None,
            "now": one.now or None,
            "changed": one.changed,
            "error": one.error.message if one.error else None,
        }
        for one in updates
    ]


def updates_lines(updates: Sequence[Update]) -> list[str]:
    """Give what became of imports, for people: one line each, then a summary."""
    lines = [f"{_became(one):<9} {one.stage.file}{_from_to(one)}" for one in updates]
    changed, failed = sum(one.changed for one in updates), sum(one.error is not None for one in updates)
    last = f"{changed} of {words.count(len(updates), 'import')} updated"
    return [*lines, f"{last}; {failed} failed" if failed else last]


def _became(one: Update) -> str:
    if one.error:
        return "failed"
    return "updated" if one.changed else "unchanged"


def _from_to(one: Update) -> str:
    return f": {_value(one.was or 'nothing')} -> {_value(one.now)}" if one.changed and one.was != one.now else ""


def all_fresh(report: Report) -> str:
    """Say in one line what a table of fresh stages would."""
    return f"{words.count(len(report.stages), 'stage')}, all fresh"


def report_lines(report: Report) -> list[str]:
    """Give what follows a report's tables, and is all of it where nothing happened."""
    return [*_traffic_lines(report), *_end_lines(report)]


def _traffic_lines(report: Report) -> Iterator[str]:
    if report.stages:
        fetched, left = report.pulled, report.left
        yield (
            f"pulled {words.count(fetched.objects, 'object')} ({words.size(fetched.bytes)}); "
            f"left {words.count(left.objects, 'object')} ({words.size(left.bytes)}) where they are"
        )
    if report.push:
        sent = f" {words.count(report.pushed.objects, 'object')} ({words.size(report.pushed.bytes)})"
        yield f"{report.push}:{sent}" if report.pushed.objects else report.push
    if report.lock:
        yield f"{report.lock.done}: {report.lock.url}" if report.lock.url else report.lock.done


def _end_lines(report: Report) -> Iterator[str]:
    if report.error:
        where = f"{report.error.where}: " if report.error.where else ""
        yield f"error: {where}{report.error.message}"
    yield from (f"claimed, not made here: {one.path}: {one.why}" for one in report.claims if one.gated)
    yield from (f"note: {note}" for note in report.notes)
    yield f"verdict: {report.verdict}"
