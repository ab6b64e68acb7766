"""The verbs that walk: plan, repro, gate, run; and report, which tells a walk again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from runner.errors import ConfigError, Exit
from runner.options import MODES, POSTING, PROPOSING, RUNNING, Call, targets, verb
from runner.verbs.opened import meter, open_project, stop_is_told
from runner.verbs.output import print_result, reader_may_leave, show_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.engine.plan import Plan
    from runner.engine.project import Project
    from runner.opening import Opened
    from runner.review.model import Report
    from runner.watching import Watch


_RUNS = ("setup", "pass-env", "keep-going", "check-determinism")
_dry_run = click.option("-n", "--dry-run", "--dry", "dry", is_flag=True, help="Say what would be done; do nothing.")


@verb("remote", "base", "transfers", *MODES)
@click.option("--check", is_flag=True, help="Exit with 10 if anything is stale.")
@click.option("--why", metavar="STAGE", help="Explain one stage: what changed since which commit, and earlier runs.")
@targets
def plan(call: Call, *, check: bool, why: str | None) -> int:
    """Say which stages are stale and why, and what would be pulled. Runs nothing.

    Works in a fresh clone from hashes alone. TARGETS are stages (with all they need) or DVC files; none: all.
    """
    return _planned(call, check=check, why=why)


def _planned(call: Call, *, check: bool = False, why: str | None = None) -> int:
    """Print what a run would do, or explain what it would do with one stage."""
    from runner import ci, printing  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call, compares=True)
        chosen = opened.asked.settings
        made = ci.plan(opened.project, chosen.targets, ci.modes_of(chosen))
        if why is not None:
            _explained(call, opened.project, made, why)
        opened.close()
    if why is None:
        print_result(
            call, lambda: printing.plan_data(opened.asked, made), lambda: printing.plan_lines(opened.asked, made)
        )
    if opened.asked.settings.actions:
        from runner import hosting  # noqa: PLC0415 - see `open_project`

        hosting.step(call.environ).outputs(printing.plan_outputs(made))
    return Exit.STALE if (check or chosen.locked) and any(step.is_stale for step in made.steps) else Exit.HELD


def _explained(call: Call, project: Project, made: Plan, name: str) -> None:
    """Print why the stages that `name` names are decided on as the plan has it."""
    from runner import explaining  # noqa: PLC0415 - see `open_project`
    from runner.engine import why  # noqa: PLC0415 - as above

    planned = {step.stage.address for step in made.steps}
    stages = [stage for stage in project.pipeline.named(name, project.cwd) if stage.address in planned]
    if not stages:
        message = f"{name} is no part of this plan"
        raise ConfigError(message, "leave the targets out, or name the stage among them")
    found = [why.explain(project, made.steps, stage.address) for stage in stages]
    data = [explaining.why_data(one, project.git) for one in found]
    lines = [line for one in found for line in explaining.why_lines(one, project.git)]
    print_result(call, lambda: data[0] if len(data) == 1 else data, lambda: lines)


@verb("remote", "base", *RUNNING, "report", "push", *PROPOSING, *POSTING, "update-imports", "claims", *_RUNS, *MODES)
@_dry_run
@targets
def run(call: Call, *, dry: bool) -> int:
    """Do the whole job: pull what is needed, run what is stale, judge the gates, push, report.

    In a GitHub job the report also goes to the step summary and, on a pull request, into one comment.
    """
    return _planned(call) if dry else _run(call)


def _run(call: Call) -> int:
    """Walk, unless this run is there to post what a stranger's run found."""
    with stop_is_told(call):
        from runner import relaying  # noqa: PLC0415 - see `open_project`

        code = relaying.relay(call.flags, call.environ)
    return _whole(call, "run") if code is None else code


@verb("remote", *RUNNING, "report", *_RUNS, *MODES)
@_dry_run
@targets
def repro(call: Call, *, dry: bool) -> int:
    """Make stages fresh: restore what was computed before, run the rest. Judges and pushes nothing."""
    return _planned(call) if dry else _whole(call, "repro")


@verb("remote", "base", "transfers", "report", *POSTING, "claims")
@click.option("--explain", is_flag=True, help="Say what was read where, and how each limit was worked out.")
@click.option("--suggest", is_flag=True, help="Propose gates from what the base branch recorded, as YAML.")
@click.option("--last", type=click.IntRange(2, 1000), default=20, help="With --suggest: how many commits count; 20.")
@click.option("--higher", multiple=True, metavar="NAMES", help="With --suggest: metrics of which higher is better.")
@click.option("--lower", multiple=True, metavar="NAMES", help="With --suggest: metrics of which lower is better.")
def gate(  # noqa: PLR0913 - one option each
    call: Call, *, explain: bool, suggest: bool, last: int, higher: Sequence[str], lower: Sequence[str]
) -> int:
    """Judge the metrics that are there by the limits of the gate file. Runs nothing.

    Works in any git repository with a retrain.yaml, with or without DVC. NAMES are keys, or patterns such as 'f1*'.
    """
    if suggest:
        return _suggested(call, last, {"higher": higher, "lower": lower})
    return _whole(call, "gate", explains=explain)


def _suggested(call: Call, last: int, better: Mapping[str, Sequence[str]]) -> int:
    """Print a gate file that follows from what the base branch recorded."""
    from runner import ci, opening  # noqa: PLC0415 - see `open_project`
    from runner.engine.project import Place  # noqa: PLC0415 - as above
    from runner.review import cases, suggesting  # noqa: PLC0415 - as above

    with stop_is_told(call):
        opened = opening.open_call(call.flags, call.environ, call.command, compares=True, judges=True)
        asked, place = opened.asked, Place(opened.git, opened.root, opened.prefix)
        case = cases.gather(place, opened.found, ci.terms_of(asked))
        line, past = cases.followed(case, last)
        opened.close()
    said = {(one.file, one.jsonpath): one.better for one in case.gates if not one.unit}
    found = list(suggesting.recorded(past))
    at = f"{asked.base.sha[:7]} ({asked.base.how})" if asked.base else "nothing: there is no base to read from"
    source = f"the last {len(line.moments)} commits that recorded metrics, up to {at}"
    text = suggesting.yaml(found, suggesting.directions(said, better), source)
    print_result(call, lambda: {"yaml": text, "commits": [one.sha for one in line.moments]}, text.splitlines)
    return Exit.HELD


@verb("report")
def report(call: Call) -> int:
    """Render report.json again, as report.md, report.html and report.xml: the same bytes as in CI."""
    from runner import filing, locating, ruling  # noqa: PLC0415 - see `open_project`

    chosen = ruling.settings_alone(call.flags, call.environ)
    top = locating.root_of(chosen.directory)
    found = filing.again(filing.folder_of(chosen, top, call.flags, call.environ) or chosen.directory, top)
    with reader_may_leave():
        _print_report(call, found, "report")
    return Exit.HELD


def _whole(call: Call, verb: str, *, explains: bool = False) -> int:
    """Walk, then tell, also of a bug; the report's exit code is ours."""
    from runner import filing, hosting, opening, refreshing, telling  # noqa: PLC0415 - see `open_project`
    from runner.live import Live  # noqa: PLC0415 - as above

    judges = verb != "repro"
    with stop_is_told(call, writes=True) as stop:
        read = partial(
            opening.open_call, call.flags, call.environ, call.command, compares=judges, judges=judges, meter=meter(call)
        )
        opened = refreshing.refreshed(read(), read) if verb == "run" else read()
        chosen = opened.asked.settings
        folder = filing.folder_of(chosen, opened.git.root, call.flags, call.environ)
        forge = hosting.forge_of(opened.asked, opened.prefix)
        stop.live = Live(hosting.permitted(forge, opened.asked) if verb == "run" else forge, opened.asked)
        with stop.live as live:
            made, bug = _walked(_ready(opened, verb, call.flags), verb, live)
        opened.close()
    try:
        code = telling.tell(made, opened, folder, live)
        with reader_may_leave():
            _print_report(call, made, "explain" if explains else verb)
    finally:
        if bug:
            raise bug
    return code


def _ready(opened: Opened, verb: str, flags: Mapping[str, str | None]) -> Opened:
    """Let a run that proposes its lock make it again where the branch that it is meant for moves on."""
    if verb != "run":
        return opened
    from runner import rebuilding  # noqa: PLC0415 - see `open_project`

    return rebuilding.ready(opened, flags)


def _walked(opened: Opened, verb: str, watch: Watch) -> tuple[Report, BaseException | None]:
    """Go as far as `verb` goes; give what was done, and the bug that ended it, which is raised when that is told."""
    from runner import ci  # noqa: PLC0415 - see `open_project`
    from runner.engine.project import Place  # noqa: PLC0415 - as above

    asked = opened.asked
    if verb == "gate" and not (asked.gates and asked.gates.gates):
        message = "there are no gates to judge"
        raise ConfigError(message, "write a retrain.yaml with a gate in it, or name the gate file with --config")
    try:
        if verb == "gate":
            return ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, asked), None
        return (ci.run if verb == "run" else ci.repro)(opened.project, asked, watch), None
    except ci.BrokeError as broke:
        return broke.report, broke.__cause__


def _print_report(call: Call, made: Report, verb: str) -> None:
    from runner import filing, presenting, printing  # noqa: PLC0415 - see `open_project`

    if verb == "explain":
        from runner import explaining  # noqa: PLC0415 - as above

        safe = presenting.masked(made)
        print_result(call, lambda: explaining.gates_data(filing.data(safe)), lambda: explaining.gate_lines(safe))
    elif call.as_json:
        click.echo(printing.json_line(filing.gate_data(made) if verb == "gate" else filing.data(made)))
    else:
        show_report(presenting.masked(replace(made, metrics=(), params=())))  # a terminal lists none of the many
