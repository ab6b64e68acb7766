"""The verbs that look and change nothing: status, diff and dag, with DVC's flags and DVC's `--json`."""

from __future__ import annotations

import logging
import posixpath
from typing import TYPE_CHECKING, Any

import click

from runner.errors import ConfigError, Exit
from runner.options import Call, listed, recursive, revisions, targets, verb
from runner.verbs.opened import WORKSPACE, open_project, stop_is_told
from runner.verbs.output import print_result, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.engine.datadiff import Data, Differences, Lacking
    from runner.engine.project import Project
    from runner.engine.tracked import Scope
    from runner.opening import Opened
    from runner.review.dag import Dag

logger = logging.getLogger("retrain")
_COLUMN = 20


@verb("remote", "requests")
@click.option("-c", "--cloud", is_flag=True, help="Compare the cache with the remote instead.")
@click.option("-d", "--with-deps", is_flag=True, help="Also what the stages named depend on.")
@click.option("--no-updates", is_flag=True, help="Ask no source of an import.")
@revisions
@recursive
@targets
def status(call: Call, *, cloud: bool, with_deps: bool, no_updates: bool, scope: Scope) -> int:
    """Say what in the workspace is not as the lock says, as `dvc status` does. Runs nothing, and asks no remote.

    Sources of imports that are not frozen are asked.

    With -q it prints nothing and exits with 10 if anything has changed. TARGETS: stages, DVC files, paths; none: all.
    """
    from runner.engine import status as comparing  # noqa: PLC0415 - see `open_project`
    from runner.engine import tracked  # noqa: PLC0415 - see `open_project`

    found: Mapping[str, Any]
    unread: list[ConfigError] = []
    with stop_is_told(call):
        opened = open_project(call)
        project, named = opened.project, opened.asked.settings.targets
        in_remote = cloud or bool(call.flags.get("remote"))
        if in_remote:
            pipelines, unread = tracked.pipelines(project, scope)
            found = comparing.remote(project, pipelines, named)
        else:
            found = comparing.local(project, named, with_deps=with_deps, asks=not no_updates)
        opened.close()
    for mistake in unread:
        logger.error("%s", mistake)
    held = Exit.CONFIG if unread else Exit.HELD
    if call.verbosity < 0 and not call.as_json:
        return Exit.STALE if found else held
    fine = "Cache and remote are in sync." if in_remote else "Data and pipelines are up to date."
    print_result(call, lambda: found, lambda: _status_lines(found, int(in_remote)) if found else [fine])
    return held


def _status_lines(found: Any, depth: int = 0) -> Iterator[str]:  # noqa: ANN401 - nested dicts, lists and words
    """Give what `dvc status` prints: a name, below it the words in a column of their own."""
    indent = "\t" * depth
    if isinstance(found, str):
        yield f"{indent}{found}"
    elif isinstance(found, list):
        for part in found:
            yield from _status_lines(part, depth)
    else:
        for name, inner in found.items():
            if isinstance(inner, str):
                yield f"{indent}{f'{inner}:':<{_COLUMN}}{name}"
            else:
                yield f"{indent}{name}:"
                yield from _status_lines(inner, depth + 1)


@verb("remote")
@listed("--targets", "paths", metavar="PATHS", help="Only these outs, or files and folders in them.")
@click.option("--show-hash", is_flag=True, help="With the hashes.")
@click.option("--hide-missing", is_flag=True, help="Say nothing of what the cache lacks.")
@click.option("--md", "markdown", is_flag=True, help="A table in Markdown.")
@click.argument("old", default="HEAD")
@click.argument("new", default="")
def diff(  # noqa: PLR0913 - DVC's flags
    call: Call, *, paths: Sequence[str], show_hash: bool, hide_missing: bool, markdown: bool, old: str, new: str
) -> int:
    """Say which data was added, deleted, modified or renamed between OLD (HEAD) and NEW (the working tree)."""
    from runner.review import datachanges  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        changes, missing = _changes(opened, old, new, paths)
        opened.close()
    groups = datachanges.grouped(changes, missing)
    if new or hide_missing:
        groups = {word: rows for word, rows in groups.items() if word != datachanges.MISSING}
    shown = groups if show_hash else datachanges.without_hashes(groups)
    if markdown and not call.as_json:
        print_table(datachanges.table(shown), markdown=True)
    else:
        print_result(call, lambda: shown, lambda: datachanges.lines(shown))
    return Exit.HELD


def _changes(opened: Opened, old: str, new: str, paths: Sequence[str]) -> tuple[Differences, Lacking | None]:
    """Compare two revisions; what the cache lacks is looked up where the working tree is one of them."""
    from runner.engine import datadiff  # noqa: PLC0415 - see `open_project`

    if not opened.asked.head.sha:
        return datadiff.Differences(datadiff.Data({}), datadiff.Data({})), None
    errors: list[ConfigError] = []
    was, now = (_data(opened, rev, paths, errors) for rev in (old, new or WORKSPACE))
    if len(errors) > 1:
        raise errors[0]
    missing = None if new else datadiff.not_in_cache(opened.project, was)
    return datadiff.Differences(was, now), missing


def _data(opened: Opened, rev: str, paths: Sequence[str], errors: list[ConfigError]) -> Data:
    """Give the data of a revision; one that has no such target has no data, and an error."""
    from runner.engine import datadiff  # noqa: PLC0415 - see `open_project`
    from runner.engine.committed import Committed  # noqa: PLC0415 - see `open_project`

    try:
        if rev == WORKSPACE:
            return datadiff.of_workspace(opened.project, paths)
        then = Committed(opened.git, opened.prefix, opened.git.resolve(rev))
        return datadiff.of_commit(opened.project, then.pipeline, paths)
    except ConfigError as error:
        errors.append(error)
        return datadiff.Data({})


@verb()
@click.option("--mermaid", is_flag=True, help="A Mermaid flowchart.")
@click.option("--md", "markdown", is_flag=True, help="A Mermaid flowchart in a block of Markdown.")
@click.option("--dot", is_flag=True, help="The language of Graphviz.")
@click.option("-o", "--outs", is_flag=True, help="Outs instead of stages.")
@click.option("--full", is_flag=True, help="All that is connected with TARGET, not only what leads to it.")
@click.option("--collapse-foreach-matrix", "collapse", is_flag=True, help="One node for each foreach or matrix.")
@click.argument("target", required=False)
def dag(  # noqa: PLR0913 - DVC's flags
    call: Call, *, mermaid: bool, markdown: bool, dot: bool, outs: bool, full: bool, collapse: bool, target: str | None
) -> int:
    """Show how stages depend on each other: as a tree, Mermaid or DOT. TARGET is a stage, a DVC file or an out."""
    from runner.review import dag as graphs  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        graph = _graph(opened.project, target, outs=outs, full=full)
        opened.close()
    shown = graphs.collapsed(graph) if collapse else graph
    if mermaid or markdown:
        text = graphs.mermaid(shown)
        lines = ["```mermaid", *text.split("\n"), "```"] if markdown else text.split("\n")
    elif dot:
        lines = graphs.dot(shown).split("\n")
    else:
        lines = [] if call.as_json else _tree_lines(shown)
    print_result(call, lambda: {"nodes": shown.nodes, "edges": shown.edges}, lambda: lines)
    return Exit.HELD


def _graph(project: Project, target: str | None, *, outs: bool, full: bool) -> Dag:
    from runner.engine import targets as targeting  # noqa: PLC0415 - see `open_project`
    from runner.review import dag as graphs  # noqa: PLC0415 - see `open_project`

    cwd = project.cwd
    whole = (graphs.of_outs if outs else graphs.of_stages)(project.pipeline, cwd)
    if target is None:
        return whole
    meant = targeting.stages(project.pipeline, [target], cwd)
    names = [posixpath.relpath(path, cwd) for _, paths in meant for path in paths]
    return whole.around(names if outs else [stage.address_from(cwd) for stage, _ in meant], full=full)


def _tree_lines(graph: Dag) -> list[str]:
    from runner import tables  # noqa: PLC0415 - see `open_project`

    return tables.forest(graph).splitlines()
