"""Rooms 6 and 7 of the walk: what the stages that were chosen run with, and what is said as each ends."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING

from runner import composing, log
from runner.engine import exchange, executor, machine, reproduce, shell
from runner.pipeline import wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from runner.asked import Asked
    from runner.engine.again import Again
    from runner.engine.executor import Executor
    from runner.engine.homes import Wanted
    from runner.engine.modes import Modes
    from runner.engine.outcome import StageResult
    from runner.engine.project import Project
    from runner.pipeline.model import Stage
    from runner.pipeline.wishes import Resources, Wishes
    from runner.watching import Watch

logger = logging.getLogger("retrain")


def make_fresh(  # noqa: PLR0913, PLR0917 - the run, how it is run, and who hears of it
    project: Project,
    asked: Asked,
    stages: Sequence[Stage],
    modes: Modes,
    results: dict[str, StageResult],
    watch: Watch,
    sent: Callable[[Sequence[Wanted]], object] | None = None,
) -> None:
    """Fetch what is needed, restore what is known, run the rest, and say each as it ends.

    Args:
        project: the project.
        asked: what may run, for how long, and what it may see.
        stages: those chosen, in order.
        modes: how they were chosen, and what counts as stale.
        results: what became of stages, by address; what becomes of these is put in.
        watch: told which stages begin and end.
        sent: takes what a stage made, to send it while others run; `None`: that waits for the verdict.

    Of a stage that had to be made again, because nobody has what it once wrote or only the commit vouches for it, the
    later result counts, unless that is only that it is fresh by now.

    """
    chosen, there, gpus = asked.settings, machine.whole(asked.environ), machine.gpus(asked.environ)
    wanted = _wishes(stages, there)
    watch.chosen([stage.address for stage in stages])

    def shown(stage: Stage) -> AbstractContextManager[log.StageOutput]:
        watch.began(stage.address)
        return log.stage_output(stage.address, project.root / composing.LOGS)

    limits = executor.Limits(chosen.stage_timeout, chosen.timeout, chosen.silence, asked.began)
    local = executor.Nobody() if asked.restores_only else executor.Local(project.root, limits)
    loop = reproduce.Reproduction(
        known=project.known(),
        workspace=project.workspace,
        objects=project.objects,
        runs=project.runs,
        sources=project.sources,
        keep=project.keeping,
        executor=local,
        again=_again(project, asked, local),
        output=shown,
        setup="" if any(result.status == "ran" for result in results.values()) else asked.settings.setup,
        modes=modes,
        room=machine.shared(there, chosen.jobs),
        gpus=gpus.names,
        wishes=wanted,
        environment=lambda stage, given: {
            **shell.fenced(asked.environ, asked.settings.pass_env, root=project.root, address=stage.address),
            **gpus.alone(given),
        },
    )
    try:
        with closing(local), closing(loop.reproduce(stages)) as running:
            for result in running:
                if result.stage.address in results and result.status in {"fresh", "frozen"}:
                    continue
                results[result.stage.address] = result
                watch.ended(result)
                if result.status == "ran" and result.entry and asked.event.trusted:
                    project.times.remember(result.entry, result.seconds)
                if sent:
                    sent(exchange.finished(result))
                _say(result)
    finally:
        for address in [stage.address for stage in stages if stage.address in results]:
            results[address] = results.pop(address)  # in the stages' order, whoever ended first


def _wishes(stages: Sequence[Stage], there: Resources) -> dict[str, Wishes]:
    """Read what stages ask for below `meta:`; who asks for more than there is will run alone, and is told so."""
    asked = wishes.of_all(stages)
    for address, wish in asked.items():
        if not wish.resources.fits(there):
            logger.warning("stage %s asks for %s; this machine has %s: it runs alone", address, wish.resources, there)
    return asked


def _again(project: Project, asked: Asked, local: Executor) -> Again | None:
    """Give what runs each command twice, where that is asked for."""
    if asked.settings.check_determinism == "off":
        return None
    from runner.engine.again import Again  # noqa: PLC0415 - few runs are made twice

    strict = asked.settings.check_determinism == "fail"
    return Again(project.workspace, project.git, project.prefix, local, strict)


def _say(result: StageResult) -> None:
    name = result.stage.address
    if result.status == "failed":
        logger.error("stage %s failed: %s", name, result.why)
    elif result.status in {"fresh", "frozen", "skipped"}:
        logger.debug("stage %s: %s", name, result.status)
    else:
        logger.info("stage %s: %s%s", name, result.status, f" in {result.seconds:.1f} s" if result.seconds else "")
