"""The verbs that say what the DVC files say."""

from __future__ import annotations

import click

from runner.errors import Exit
from runner.options import Call, targets, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result


@verb()
@click.option(
    "--sections", is_flag=True, help="List what stands beside stages: params, metrics, plots, artifacts, datasets."
)
@targets
def stages(call: Call, *, sections: bool) -> int:
    """List stages as they are resolved: command, deps, params, outs. TARGETS: stages, DVC files, outs; none: all."""
    from runner import printing  # noqa: PLC0415 - see `open_project`
    from runner.engine import targets as targeting  # noqa: PLC0415 - as above

    with stop_is_told(call):
        opened = open_project(call)
        opened.close()
    project, declared = opened.project, opened.project.pipeline.declared
    if sections:
        print_result(call, lambda: printing.sections_data(declared), lambda: printing.sections_lines(declared))
    else:
        chosen = targeting.stages(project.pipeline, opened.asked.settings.targets, project.cwd)
        listed = sorted((stage for stage, _ in chosen), key=lambda stage: stage.address)
        print_result(call, lambda: printing.stages_data(project, listed), lambda: printing.stages_lines(listed))
    return Exit.HELD
