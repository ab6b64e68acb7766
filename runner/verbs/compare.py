"""The verbs that show and compare metrics and params of revisions, with DVC's flags and DVC's `--json`."""

from __future__ import annotations

import logging
import os
import posixpath
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from runner.errors import Exit
from runner.git import history
from runner.options import Call, listed, recursive, revisions, verb
from runner.verbs.opened import WORKSPACE, open_project, stop_is_told
from runner.verbs.output import print_result, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.engine.tracked import Scope
    from runner.git import Git
    from runner.opening import Opened
    from runner.review.differences import Revision
    from runner.review.measured import Change
    from runner.review.sides import Side

    Named = Sequence[tuple[str, str]]
    """Revisions: what each is called, and how git knows it; empty where there is no commit yet."""

    Read = Callable[[Side, Sequence[str]], dict[str, object]]
    """Gives the documents of a side: those at the paths named, or those it declares."""

logger = logging.getLogger("retrain")

_md = click.option("--md", "markdown", is_flag=True, help="A table in Markdown.")
_precision = click.option(
    "--precision", type=int, metavar="N", help="Digits after the point in tables; 5 if not given."
)
_no_path = click.option("--no-path", is_flag=True, help="Leave the column of paths out.")
_everything = click.option("--all", "everything", is_flag=True, help="Unchanged values too.")
_paths = listed("--targets", "paths", metavar="PATHS", help="These files, or those in these folders, declared or not.")
_old = click.argument("old", default="HEAD")
_new = click.argument("new", default=WORKSPACE)


@click.group()
def metrics() -> None:
    """Show metrics, or compare those of two revisions. Runs nothing."""


@click.group()
def params() -> None:
    """Compare the params of two revisions. Runs nothing."""


@verb("remote")
@revisions
@recursive
@_md
@_precision
@click.argument("targets", nargs=-1)
def metrics_show(call: Call, *, scope: Scope, markdown: bool, precision: int | None, targets: Sequence[str]) -> int:
    """Show the metrics of the working tree and, if asked for, of other revisions. TARGETS: files or folders; none: all.

    A cached metrics file is read by its hash, from the cache or else from the remote.
    """
    from runner.review import differences  # noqa: PLC0415 - see `open_project`

    several = bool(scope)

    def named(opened: Opened) -> Named:
        return _named(opened.git, scope) if several else [("", WORKSPACE)]

    found, opened = _read(call, named, targets, lambda side, paths: side.metrics(paths))
    shown = _without_workspace(found, opened.git) if several else found
    cwd = opened.project.cwd
    if call.as_json:
        print_result(call, lambda: differences.show_data(shown, cwd), list)
    else:
        table = differences.show_table(shown, cwd, precision or differences.PRECISION)
        print_table(table if several else differences.without_first(table), markdown=markdown)
    return Exit.HELD


def _named(git: Git, scope: Scope) -> Named:
    """Give the working tree, then each commit once, under all the names that lead to it."""
    if scope.commits:
        return [(WORKSPACE, WORKSPACE), *((sha, sha) for sha in history.commits(git))]
    names: dict[str, list[str]] = {}
    for name in scope.names(git):
        names.setdefault(git.resolve(name), []).append(name)
    return [(WORKSPACE, WORKSPACE), *((",".join(dict.fromkeys(found)), sha) for sha, found in names.items())]


def _without_workspace(found: list[Revision], git: Git) -> list[Revision]:
    """Leave the working tree out where it holds what the branch checked out holds: DVC's rule."""
    branch = git.branch()
    same = any(one.name == branch and one.documents == found[0].documents for one in found[1:])
    return found[1:] if same else found


@verb("remote")
@_everything
@_paths
@recursive
@_md
@_no_path
@_precision
@_old
@_new
def metrics_diff(  # noqa: PLR0913 - DVC's flags
    call: Call,
    *,
    old: str,
    new: str,
    paths: Sequence[str],
    everything: bool,
    markdown: bool,
    no_path: bool,
    precision: int | None,
) -> int:
    """Compare the metrics of two revisions: HEAD with the working tree (`workspace`), unless others are named.

    A cached metrics file is read by its hash, from the cache or else from the remote.
    """
    from runner.review import differences, metrics  # noqa: PLC0415 - see `open_project`

    (before, after), opened = _read(call, _both(old, new), paths, lambda side, paths: side.metrics(paths))
    changes = metrics.compare(before.documents, after.documents)
    return _print_changes(
        call,
        changes if everything else differences.changed(changes),
        opened.project.cwd,
        ("Path", "Metric", old, new, "Change"),
        precision or differences.PRECISION,
        markdown=markdown,
        no_path=no_path,
    )


@verb("remote")
@_everything
@click.option("--deps", "deps_only", is_flag=True, help="Only what stages depend on.")
@_paths
@_md
@_no_path
@_old
@_new
def params_diff(  # noqa: PLR0913 - DVC's flags
    call: Call,
    *,
    old: str,
    new: str,
    paths: Sequence[str],
    everything: bool,
    deps_only: bool,
    markdown: bool,
    no_path: bool,
) -> int:
    """Compare the params of two revisions: HEAD with the working tree (`workspace`), unless others are named."""
    from runner.review import differences, metrics  # noqa: PLC0415 - see `open_project`

    (before, after), opened = _read(
        call, _both(old, new), paths, lambda side, paths: side.params(paths, deps_only=deps_only)
    )
    changes = metrics.compare(before.documents, after.documents, metrics.as_python)
    return _print_changes(
        call,
        changes if everything else differences.changed(changes),
        opened.project.cwd,
        ("Path", "Param", old, new),
        None,
        markdown=markdown,
        no_path=no_path,
    )


@verb("remote", "base", "transfers")
@click.option("--last", type=click.IntRange(1, 1000), default=20, help="How many commits, at most; 20 if not given.")
@_md
@click.argument("targets", nargs=-1)
def metrics_history(call: Call, *, last: int, markdown: bool, targets: Sequence[str]) -> int:
    """Show metrics over the last commits of the base branch that recorded any, and which inputs changed there.

    Read from git alone, but for cached metrics files. TARGETS: metrics files; none: those declared or gated.
    """
    from runner import ci, opening  # noqa: PLC0415 - see `open_project`
    from runner.engine.project import Place  # noqa: PLC0415 - as above
    from runner.review import cases, differences, trends  # noqa: PLC0415 - as above

    with stop_is_told(call):
        opened = opening.open_call(call.flags, call.environ, call.command, compares=True, judges=True)
        place = Place(opened.git, opened.root, opened.prefix)
        cwd = os.path.relpath(opened.asked.settings.directory, opened.root)
        paths = [posixpath.normpath(posixpath.join(cwd, path)) for path in targets]
        line, past = cases.followed(cases.gather(place, opened.found, ci.terms_of(opened.asked)), last, paths)
        found = trends.history(line, trends.keys(past), past)
        opened.close()
    if found.note:
        logger.warning("%s", found.note)
    if call.as_json:
        print_result(call, lambda: asdict(found), list)
    else:
        print_table(differences.history_table(found, cwd), markdown=markdown)
    return Exit.HELD


def _both(old: str, new: str) -> Callable[[Opened], Named]:
    """Name two revisions; before the first commit there is nothing to compare (DVC's rule)."""

    def named(opened: Opened) -> Named:
        return [(rev, rev if opened.asked.head.sha else "") for rev in (old, new)]

    return named


def _read(
    call: Call, named: Callable[[Opened], Named], paths: Sequence[str], read: Read
) -> tuple[list[Revision], Opened]:
    """Read revisions; what of them cannot be read is said. The project is closed again."""
    from runner.review.differences import Revision  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        wanted = [posixpath.normpath(posixpath.join(opened.project.cwd, path)) for path in paths]
        found = [Revision(name, read(_side(opened, rev), wanted) if rev else {}) for name, rev in named(opened)]
        opened.close()
    for revision in found:
        for path, why in revision.unreadable.items():
            logger.warning("%s of %s cannot be read: %s", path, revision.name or WORKSPACE, why)
    return found, opened


def _side(opened: Opened, rev: str) -> Side:
    from runner.review import sides  # noqa: PLC0415 - see `open_project`

    project = opened.project
    if rev == WORKSPACE:
        return sides.working(opened.root, project.pipeline, project.objects)
    return sides.committed(opened.git, opened.prefix, opened.git.resolve(rev), project.objects, project.unpacking)


def _print_changes(  # noqa: PLR0913 - what is shown, and how
    call: Call,
    changes: Sequence[Change],
    cwd: str,
    headers: Sequence[str],
    precision: int | None,
    *,
    markdown: bool,
    no_path: bool,
) -> int:
    from runner.review import differences  # noqa: PLC0415 - see `open_project`

    if call.as_json:
        print_result(call, lambda: differences.diff_data(changes, cwd), list)
    else:
        table = differences.diff_table(changes, cwd, headers, precision)
        print_table(differences.without_first(table) if no_path else table, markdown=markdown)
    return Exit.HELD


metrics.add_command(metrics_show, "show")
metrics.add_command(metrics_diff, "diff")
metrics.add_command(metrics_history, "history")
params.add_command(params_diff, "diff")
