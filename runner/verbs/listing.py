"""The verbs that say what the DVC files say."""

from __future__ import annotations

from runner.errors import Exit
from runner.options import Call, verb
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result


@verb()
def stages(call: Call) -> int:
    """List the stages as they are resolved: command, deps, params, outs."""
    from runner import printing  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        opened.close()
    print_result(call, lambda: printing.stages_data(opened.project), lambda: printing.stages_lines(opened.project))
    return Exit.HELD
