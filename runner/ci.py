"""The walk: what one run does, in ten rooms, from the door to the verdict. Read this file first.

`plan` stops after room 5, `repro` after 7, `gate` needs 2, 3 and 8, `run` goes through; `pull` and `push` are rooms
6 and 9 alone (`engine.exchange`). Each room is one call into the package that knows about it, and most are imported
where they are entered: a plan does not wait for what only a run needs.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner import composing
from runner.engine import plan as planning
from runner.engine import targets as targeting
from runner.engine.decision import Change, Wait
from runner.engine.modes import PLAIN, Modes
from runner.engine.project import Place
from runner.errors import ConfigError, Exit, RunnerError, StaleError
from runner.git import index
from runner.store import disk
from runner.watching import UNWATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.asked import Asked
    from runner.engine.homes import Wanted
    from runner.engine.outcome import StageResult
    from runner.engine.plan import Plan, Step
    from runner.engine.project import Project
    from runner.pipeline.model import Stage
    from runner.review.cases import Terms
    from runner.review.judging import Case
    from runner.review.model import Report
    from runner.settings import Settings
    from runner.watching import Watch

    Results = Mapping[str, StageResult]
    """What became of stages, by their addresses."""

logger = logging.getLogger("retrain")
_NAMED: Final = 10
_ALWAYS: Final = frozenset({Change.ALWAYS, Change.CALLBACK})


class BrokeError(Exception):
    """A bug, its cause, ended the walk.

    Attributes:
        report: what was done before, and that this is a bug.

    """

    def __init__(self, report: Report) -> None:
        """Keep what is still to be told."""
        super().__init__("a bug ended the walk")
        self.report = report


def plan(project: Project, targets: Sequence[str], modes: Modes = PLAIN) -> Plan:
    """Decide over the stages asked for; nothing is run, nothing but listings is fetched (rooms 3 to 5)."""
    stages = _selected(project, targets, modes)
    return planning.plan(stages, project.known, project.objects, project.runs, modes)


def modes_of(chosen: Settings) -> Modes:
    """Give the modes that the settings say."""
    return Modes(
        force=chosen.force,
        single_item=chosen.single_item,
        downstream=chosen.downstream,
        keep_going=chosen.keep_going,
        allow_missing=chosen.allow_missing,
        run_cache=chosen.run_cache,
    )


def _selected(project: Project, targets: Sequence[str], modes: Modes) -> tuple[Stage, ...]:
    """Give the stages asked for, in order; the sources that will count are asked all at once."""
    stages = targeting.selected(project.pipeline, targets, project.cwd, modes)
    asked = [(stage, dep) for stage in stages if not stage.frozen for dep in stage.deps if dep.source]
    entries = project.pipeline.entries
    project.sources.look_at_all(
        (dep, entry.dep(dep.spelled)) for stage, dep in asked if (entry := entries.get(stage.address))
    )
    return stages


def repro(project: Project, asked: Asked, watch: Watch = UNWATCHED) -> Report:
    """Make the stages asked for fresh (up to room 7)."""
    with project.supposed():
        return _walk(project, asked, watch, through=False)


def run(project: Project, asked: Asked, watch: Watch = UNWATCHED) -> Report:
    """Make the stages fresh, judge, push, propose the lock; telling is the caller's (rooms 3 to 9)."""
    with project.supposed():
        return _walk(project, asked, watch, through=True)


def judge(place: Place, project: Project | None, asked: Asked, results: Results | None = None) -> Report:
    """Judge what the working tree holds, in any git repository, without running anything (rooms 2, 3 and 8).

    Args:
        place: the candidate's.
        project: the DVC project, whose cached metrics are had by hash; `None` where there is none.
        asked: what is compared.
        results: what became of the stages, by address; `None` where none were to be run.

    """
    from runner.review import cases, judging, rows  # noqa: PLC0415 - see the top

    report = replace(composing.blank(asked), edges=rows.edges(project.pipeline) if project else ())
    case = cases.gather(place, project, terms_of(asked), results)
    if project:
        case = replace(case, doubtful=_doubtful(project, asked, results, case))
    made = judging.judged(report, case)
    made = replace(
        made, notes=made.notes + asked.gone + judging.gone(case) + judging.skipped(case) + judging.noise(made)
    )
    override = asked.override() if made.verdict == "failed" else None
    made = judging.accepted(made, override) if override else made
    made = composing.illustrated(made, case, project.objects if project else None)
    return composing.timed(composing.with_stages(made, project, results), case) if project and results else made


def terms_of(asked: Asked) -> Terms:
    """Give by what is judged."""
    from runner.review.cases import Terms  # noqa: PLC0415 - see the top

    return Terms(
        gates=asked.gates.gates if asked.gates else (),
        event=asked.event_name,
        base_sha=asked.base.sha if asked.base else "",
        policy=asked.settings.claims,
        proposes=asked.event.base_remote,
    )


def _walk(project: Project, asked: Asked, watch: Watch, *, through: bool) -> Report:
    """Go from room to room; whatever ends the walk early is in the report, with all that was done before.

    Raises:
        BrokeError: a bug ended it.

    """
    from runner import proposing, pushing  # noqa: PLC0415 - see the top
    from runner.review import rows  # noqa: PLC0415 - see the top

    started = time.monotonic()
    report = replace(composing.blank(asked), edges=rows.edges(project.pipeline))
    results: dict[str, StageResult] = {}
    bug: Exception | None = None
    try:
        if through:
            pushing.check(project, asked)
            proposing.check(project, asked)
        if asked.settings.locked:
            _check_locked(project, asked)
        place = Place(project.git, project.root, project.prefix)
        sending = pushing.sending(project, asked) if through else None
        _make_fresh(project, asked, results, watch, sent=sending.send if sending else None)
        if through and not _worst(results):
            _make_claims_again(place, composing.as_left(project, results), asked, results, watch)
        if worst := _worst(results):
            report = replace(report, verdict="error", exit_code=worst)
        elif through:
            report = judge(place, composing.as_left(project, results), asked, results)
        if through:
            report = pushing.kept(report, project, asked, list(results.values()), sending.finish if sending else None)
            report = _complete(report, project, results, started)
            report = proposing.proposed(report, composing.as_left(project, results), asked)
    except RunnerError as error:
        logger.debug("the walk ended early", exc_info=error)
        report = composing.ended(report, error)
    except Exception as error:  # noqa: BLE001 - told first, and raised again by whoever told it
        is_full = disk.full(error)
        report, bug = composing.ended(report, is_full or error), None if is_full else error
    report = replace(report, notes=(*report.notes, *composing.logs(project, results)))
    report = _complete(report, project, results, started)
    if bug:
        raise BrokeError(report) from bug
    return report


def _complete(report: Report, project: Project, results: Results, started: float) -> Report:
    """Add what is known when a walk ends, however it ends."""
    from runner.review import rows  # noqa: PLC0415 - see the top

    report = report if report.stages else composing.with_stages(report, project, results)
    return replace(
        composing.with_left(report, project, results),
        pulled=rows.traffic(project.objects.fetched),
        seconds=round(time.monotonic() - started, 3),
    )


def _check_locked(project: Project, asked: Asked) -> None:
    """Let nothing run: the lock is to be what the commands, the params and the data say.

    Raises:
        StaleError: it is not.

    """
    steps = plan(project, asked.settings.targets, modes_of(asked.settings)).steps
    stale = [step for step in steps if step.is_stale]
    if stale:
        more = f"; and {len(stale) - _NAMED} more" if len(stale) > _NAMED else ""
        shown = "; ".join(map(_stale, stale[:_NAMED]))
        message = f"locked, and {len(stale)} of {len(steps)} stages are stale: {shown}{more}"
        raise StaleError(message, _hint(stale))


def _hint(stale: Sequence[Step]) -> str:
    """Say what to do; nothing that is committed makes fresh what is to run every time."""
    always = [step.stage.address for step in stale if _ALWAYS.intersection(one.change for one in step.decision.reasons)]
    if always:
        shown = ", ".join(always[:_NAMED])
        return f"these run every time, so that no lock holds for them: {shown}; name the other stages as targets"
    return "run `retrain repro` and commit what it writes into dvc.lock; `retrain plan` names every stage"


def _stale(step: Step) -> str:
    if isinstance(step.decision, Wait):
        return f"{step.stage.address} (waits for {', '.join(step.decision.upstream)})"
    reasons = (f"{reason.change.value} {reason.path}".rstrip() for reason in step.decision.reasons)
    return f"{step.stage.address} ({', '.join(reasons)})"


def _worst(results: Results) -> int:
    return max((result.exit_code for result in results.values()), default=Exit.HELD)


def _make_claims_again(
    place: Place, project: Project, asked: Asked, results: dict[str, StageResult], watch: Watch
) -> None:
    """Run the stages again whose gated metrics only the commit vouches for, where the settings ask for that."""
    from runner.review import cases, claims  # noqa: PLC0415 - see the top

    case = cases.gather(place, project, terms_of(asked), results)
    files = dict.fromkeys((one.file for one in case.gates if not one.unit), True)
    found = claims.claims(files, case.head, case.base, case.grounds)
    forced = frozenset(claims.to_rerun(found, case.head)) & results.keys()
    if forced:
        logger.info("run again, because their metrics are only claimed: %s", ", ".join(sorted(forced)))
        _make_fresh(project, asked, results, watch, replace(modes_of(asked.settings), forced=forced))


def _doubtful(project: Project, asked: Asked, results: Results | None, case: Case) -> dict[str, str]:
    """Find outs that are nothing of this candidate's, or that this run does not vouch for, and why.

    Where nothing was to be run those of stale stages; after a run those of stale stages left out, and edited ones of
    frozen stages.
    """
    if results is None:
        return _outdated(project, case)
    found: dict[str, str] = {}
    for step in plan(project, ()).steps if asked.settings.targets else ():
        if step.is_stale and step.stage.address not in results:
            why = f"its stage {step.stage.address} is stale and was no part of this run"
            found.update({out.path: why for out in step.stage.outs})
    for result in results.values():
        changed = {reason.path for reason in result.reasons if reason.now is not None}
        if result.status == "frozen":
            why = f"its stage {result.stage.address} is frozen, and this is not what it wrote"
            found.update({out.path: why for out in result.stage.outs if out.path in changed})
    return found


def _outdated(project: Project, case: Case) -> dict[str, str]:
    """Find outs of stages that are stale, by what git and the lock say, where nothing was run to mend that."""
    from runner.engine import outdated  # noqa: PLC0415 - see the top

    def had(path: str) -> bool:
        before = case.base.files(path) is not None or any(case.base.inside(path)) if case.base else False
        return before or index.tracks(project.git, f"{project.prefix}{path}")

    judged = [one.file for one in case.gates if one.unit != "seconds"]
    declared = (out.path for stage in project.pipeline.stages for out in stage.outs if out.metric)
    stale = outdated.outdated(project, [*judged, *declared], had)
    return {
        out.path: f"its stage {address} is stale ({why}) and was not run"
        for address, why in stale.items()
        for out in project.pipeline.stage(address).outs
    }


def _make_fresh(  # noqa: PLR0913, PLR0917 - the run, how it is run, and who hears of it
    project: Project,
    asked: Asked,
    results: dict[str, StageResult],
    watch: Watch,
    modes: Modes | None = None,
    sent: Callable[[Sequence[Wanted]], object] | None = None,
) -> None:
    """Run the stages asked for (rooms 6 and 7), where this event may run any."""
    from runner import running  # noqa: PLC0415 - see the top

    if not asked.event.may_run:
        message = f"no stage is run here: {asked.event.why}"
        raise ConfigError(message, "`retrain plan` and `retrain gate` work for this event")
    modes = modes or modes_of(asked.settings)
    stages = _selected(project, asked.settings.targets, modes)
    running.make_fresh(project, asked, stages, modes, results, watch, sent)
