"""The verbs that move data between remote, cache and workspace."""

from __future__ import annotations

import logging
import posixpath
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from runner.errors import ConfigError, Exit, ObjectMissing
from runner.options import Call, recursive, revisions, targets, verb, with_deps
from runner.verbs.opened import open_project, stop_is_told
from runner.verbs.output import print_result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.engine.checkout import Placed
    from runner.engine.tracked import Scope
    from runner.opening import Opened
    from runner.store.moved import Moved

logger = logging.getLogger("retrain")


@verb("remote", "requests")
@click.option("-f", "--force", is_flag=True, help="Replace what was edited; its bytes stay in the cache.")
@click.option("--allow-missing", is_flag=True, help="Exit with 0 though the remote lacks something.")
@with_deps
@targets
def pull(call: Call, *, force: bool, allow_missing: bool, with_deps: bool) -> int:
    """Fetch outs from the remote, verified, and put them in place. TARGETS: stages, DVC files, paths; none: all."""
    return _exchange(call, "pull", with_deps=with_deps, allow_missing=allow_missing, force=force)


@verb("remote", "requests")
@click.option("--check", is_flag=True, help="Send nothing; exit with 4 and a list if the remote lacks an object.")
@with_deps
@targets
def push(call: Call, *, check: bool, with_deps: bool) -> int:
    """Send outs and past runs to the remote, and prove them there. TARGETS: stages, DVC files, paths; none: all."""
    return _check(call, with_deps=with_deps) if check else _exchange(call, "push", with_deps=with_deps)


def _check(call: Call, *, with_deps: bool) -> int:
    """Prove that every object of the lock is in its remote, without sending anything."""
    from runner.engine import audit  # noqa: PLC0415 - see `open_project`
    from runner.verbs.verify import findings_data, say  # noqa: PLC0415 - as above

    with stop_is_told(call):
        opened = open_project(call)
        lacking = audit.unproved(opened.project, _chosen(opened, with_deps=with_deps))
        opened.close()
    asked = lacking.asked
    there = f"{asked - len(lacking)} of {asked} objects that the lock names are in the remote"
    print_result(call, lambda: {"objects": asked, "missing": findings_data(lacking)}, lambda: [there])
    say(lacking)
    return Exit.REMOTE if lacking else Exit.HELD


@verb("requests")
@click.option(
    "--rev", metavar="REV", default="", help="Branch, tag or commit that imports from git follow from now on."
)
@click.option("--no-download", is_flag=True, help="Record what the sources hold, and leave the data there.")
@targets
def update(call: Call, *, rev: str, no_download: bool) -> int:
    """Ask the sources of imports, and take in what changed. TARGETS: .dvc files of imports; none: every import.

    A source that did not change costs one request. Its import is left as it is.
    """
    from runner import printing  # noqa: PLC0415 - see `open_project`
    from runner.engine import updating  # noqa: PLC0415

    with stop_is_told(call):
        opened = open_project(call)
        done = updating.update(opened.project, opened.asked.settings.targets, rev, download=not no_download)
        opened.close()
    print_result(call, lambda: printing.updates_data(done), lambda: printing.updates_lines(done))
    errors = [one.error for one in done if one.error]
    for error in errors:
        logger.error("%s", error)
    return errors[0].exit_code if errors else Exit.HELD


@verb("remote", "requests")
@click.option("--run-cache", is_flag=True, help="Also past runs with the inputs that the stages have now.")
@click.option("--type", "kinds", type=click.Choice(["metrics", "plots"]), multiple=True, help="Only these outs.")
@click.option(
    "--max-size", type=click.IntRange(min=1), default=None, metavar="BYTES", help="Only outs that are smaller."
)
@revisions
@with_deps
@recursive
@targets
def fetch(  # noqa: PLR0913 - DVC's flags
    call: Call, *, run_cache: bool, kinds: Sequence[str], max_size: int | None, scope: Scope, with_deps: bool
) -> int:
    """Bring outs from the remote into the cache, verified; the workspace stays as it is.

    TARGETS: stages, DVC files, paths, also of files inside a directory; none: all.
    """
    from runner.engine import fetching  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        wish = fetching.Wish(_chosen(opened, with_deps=with_deps), scope, frozenset(kinds), run_cache, max_size or 0)
        moved, unread = fetching.fetch(opened.project, wish)
        opened.close()
    code = _say_moved(call, "fetch", moved)
    for mistake in unread:
        logger.error("%s", mistake)
    return code or (Exit.CONFIG if unread else Exit.HELD)


@verb()
@click.option("-f", "--force", is_flag=True, help="Replace what was edited; its bytes stay in the cache.")
@click.option("--relink", is_flag=True, help="Make links or copies anew, as cache.type says now.")
@click.option("--allow-missing", is_flag=True, help="Exit with 0 though the cache lacks something.")
@click.option("--prune", is_flag=True, help="Remove what was an out once and is none any more, if it can be had again.")
@click.option("--summary", is_flag=True, help="Say only how many.")
@with_deps
@recursive
@targets
def checkout(  # noqa: PLR0913 - DVC's flags
    call: Call, *, force: bool, relink: bool, allow_missing: bool, prune: bool, summary: bool, with_deps: bool
) -> int:
    """Put outs in place as the lock says, from the local cache alone.

    TARGETS: stages, DVC files, paths, also of files inside a directory; none: all.
    """
    from runner.engine import checkout as placing  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        project = opened.project
        placed = placing.checkout(project, _chosen(opened, with_deps=with_deps), force=force, relink=relink)
        if prune:
            placed = replace(placed, deleted=placing.prune(project))
        opened.close()
    print_result(call, lambda: asdict(placed), lambda: _placed_lines(placed, project.cwd, summary=summary))
    for path in placed.failed:
        logger.error("%s is left as it is: the cache lacks it or a part of it; `retrain pull` fetches it", path)
    return Exit.REMOTE if placed.failed and not allow_missing else Exit.HELD


def _placed_lines(placed: Placed, cwd: str, *, summary: bool) -> list[str]:
    from runner.review import words  # noqa: PLC0415 - see `open_project`

    groups = {"modified": placed.modified, "added": placed.added, "deleted": placed.deleted}
    if summary:
        counts = [f"{words.count(len(paths), 'path')} {word}" for word, paths in groups.items() if paths]
        return [", ".join(counts) or "No changes."]
    shown = [(word, posixpath.relpath(path, cwd)) for word, paths in groups.items() for path in paths]
    return [f"{word[0].upper()}       {path}" for word, path in shown]


def _chosen(opened: Opened, *, with_deps: bool) -> Sequence[str]:
    """Give the targets of the call, with all upstream of them if that is asked for."""
    from runner.engine import targets as targeting  # noqa: PLC0415 - see `open_project`

    named, project = opened.asked.settings.targets, opened.project
    return targeting.with_upstream(project.pipeline, named, project.cwd) if with_deps else named


def _exchange(call: Call, verb: str, *, with_deps: bool, allow_missing: bool = False, **how: bool) -> int:
    from runner.engine import exchange  # noqa: PLC0415 - see `open_project`

    with stop_is_told(call):
        opened = open_project(call)
        if verb == "push" and not opened.asked.event.may_push:
            message = f"nothing is pushed here: {opened.asked.event.why}"
            raise ConfigError(message, "push from a run that is trusted")
        moved = getattr(exchange, verb)(opened.project, _chosen(opened, with_deps=with_deps), **how)
        opened.close()
    code = _say_moved(call, verb, moved)
    is_only_missing = all(isinstance(failure.error, ObjectMissing) for failure in moved.failed)
    return Exit.HELD if allow_missing and is_only_missing else code


def _say_moved(call: Call, verb: str, moved: Moved) -> int:
    from runner import printing  # noqa: PLC0415 - see `open_project`

    print_result(call, lambda: printing.moved_data(moved), lambda: printing.moved_lines(verb, moved))
    for line in printing.failure_lines(moved):
        logger.error("%s", line)
    return Exit.REMOTE if moved.failed else Exit.HELD
