"""Pull and push: the objects of a project between remote, cache and workspace, proved where they were sent."""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner import durable
from runner.engine import checkout, proof, tracked
from runner.engine import targets as targeting
from runner.engine.objects import lost_of
from runner.engine.runcache import FIRST
from runner.engine.taking_in import TakingIn
from runner.engine.targets import Named
from runner.engine.workspace import SCRATCH
from runner.errors import ConfigError, Corrupt, Denied, ObjectMissing, RemoteError, Unlistable
from runner.store.meter import unheard
from runner.store.moved import NOTHING, Failure, Moved
from runner.store.place import PUSH_INSTEAD
from runner.store.protocols import creating

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from runner.engine.checkout import Piece
    from runner.engine.homes import Wanted
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.outcome import StageResult
    from runner.engine.project import Project
    from runner.hashes import Hash
    from runner.pipeline.model import LockedPath, LockEntry, Out, Stage
    from runner.store.remote import Remote

logger = logging.getLogger("retrain")
_UNTIMED: Final[Mapping[str, LockEntry]] = MappingProxyType({})
_LEFT_ALONE = frozenset({"fresh", "frozen", "skipped", "failed"})


def pull(project: Project, targets: Sequence[str], *, force: bool = False) -> Moved:
    """Fetch the outs of `targets` (none given: all) and put them in place.

    What cannot be had is in `failed` and stays as it is in the workspace; the others are put in place all the same.

    Raises:
        ConfigError: without `force`, something would be replaced that was edited and is in no cache. The cache has what
            was fetched then, as with DVC, and the workspace is as it was.

    """
    known, keeping = project.known(), project.keeping()
    wanted = checkout.pieces(project, targets)
    moved = project.objects.fetch([(piece.out, piece.name) for piece in wanted])
    lost = {failure.name for failure in moved.failed}
    ready = []
    for piece in wanted:
        short = _short(known, piece, lost)
        if short:
            why = "" if piece.out.push else "; it has push: false, so only the place where it was made has it"
            logger.error("%s is left as it is: %d of its objects could not be had%s", piece.out.path, short, why)
        elif not known.is_in_place(piece.out, piece.name):
            ready.append(piece)
    if not force:
        checkout.check_saved(project, keeping, ready)
    moved = sum((_put(project, keeping, piece) for piece in ready), moved)
    chosen = targeting.stages(project.pipeline, targets, project.cwd)
    partial = [stage for stage, _ in chosen if _is_partial(stage, known)]
    return sum((_pull_import(project, known, keeping, stage) for stage in partial), moved)


def _short(known: Known, piece: Piece, lost: set[str]) -> int:
    """Count the objects of a piece that could not be had; of a directory whose listing could not, that one alone."""
    if piece.name.key in lost:
        return 1
    return lost_of(known.members(piece.name), lost)


def _is_partial(stage: Stage, known: Known) -> bool:
    """Whether an import's data was never taken in: only what its source is known by is recorded."""
    entry = known.entry(stage) if stage.is_import else None
    return entry is not None and not any(out.hash for out in entry.outs)


def _pull_import(project: Project, known: Known, keeping: Keeping, stage: Stage) -> Moved:
    """Put in place what an import's source held when it was recorded; the `.dvc` file stays as it is (DVC's rule)."""
    taking_in = TakingIn(known, project.workspace, project.sources, keeping)
    started = time.monotonic()
    try:
        content = taking_in.brought(stage)
    except ObjectMissing as error:
        return Moved(0, 0, 0.0, (Failure(stage.address, error),))
    taking_in.put(stage, content)
    return Moved(1 + (content.nfiles or 0), content.size or 0, time.monotonic() - started, ())


def _put(project: Project, keeping: Keeping, piece: Piece) -> Moved:
    """Put a piece in place; one that turns out broken in the cache is fetched anew, once.

    One that shares a broken object with a piece before it finds it put away, and so missing.
    """
    try:
        checkout.put(project, keeping, piece)
    except (Corrupt, ObjectMissing) as error:
        logger.warning("%s; it is fetched anew", error.message)
        again = project.objects.fetch([(piece.out, piece.name)])
        if not again.failed:
            checkout.put(project, keeping, piece)
        return again
    return NOTHING


def check_pushable(project: Project, targets: Sequence[str]) -> None:
    """Refuse, before anything is done, to push the outs of `targets` to a remote that is only read.

    Raises:
        ConfigError: one of their remotes keeps versions of files (`version_aware`, `worktree`).

    """
    outs = [one.out for one in targeting.named(project.pipeline, targets, project.cwd)]
    homes = {out.remote for out in outs if out.cache and out.push}
    for why in filter(None, map(project.read_only, sorted(homes))):
        raise ConfigError(why, PUSH_INSTEAD)


def push(project: Project, targets: Sequence[str]) -> Moved:
    """Push the outs of `targets` (none given: all), then the records of the runs that wrote them.

    An object that the cache has lost is taken from the workspace where it is still as the lock says.
    """
    check_pushable(project, targets)
    known, keep = project.known(), cache(project.keeping)  # seldom needed, and it asks git
    wanted: list[Wanted] = []
    left: list[tuple[Named, LockedPath]] = []
    records: dict[str, LockEntry] = {}
    for stage, out, recorded in _recorded(project, known, targets):
        name = recorded.hash
        if name is None or out.origin or not out.push:
            continue
        if out.cache and not project.objects.at_hand(name):
            keeping = keep()  # which first puts right what a killed run left
            content = project.workspace.observe(out.path, name.name)
            if content and content.hash == name:
                keeping.add(out, content)
            else:
                left.append((Named(stage, out), recorded))
        entry = known.entry(stage)
        record = project.runs.record_of(entry) if entry and not stage.is_data_source else ""
        if record and entry:
            records[record] = entry
        if out.cache or (record and project.cache.has(name)):
            wanted.append((out, name))
    moved = project.objects.push(wanted)
    if not moved.failed:
        moved += Moved(0, 0, 0.0, tuple(_unproved(project, left)))
    return moved if moved.failed else moved + _push_records(project, records, records)


def keep(project: Project, results: Sequence[StageResult]) -> Moved:
    """Push what a run made, prove it present, and prove that what it left alone is there too.

    Raises:
        RemoteError: an object that the lock names is neither here nor in the remote, or could not be sent.

    """
    made: list[Wanted] = []
    others: list[Wanted] = []
    left: list[tuple[Named, LockedPath]] = []
    records: dict[str, None] = {}
    unpushed = project.runs.unpushed()
    for result in results:
        if result.entry:
            mine = _records(project, result, unpushed)
            records.update(dict.fromkeys(mine))
            pushable = _pushable(result.stage, result.entry, remembered=bool(mine))
            if mine or result.status not in _LEFT_ALONE:
                made += pushable
            else:
                others += [(out, name) for out, name in pushable if project.cache.has(name)]
                left += _left(project, result.stage, result.entry, pushable)
    moved = project.objects.push([*made, *others])
    for failure in moved.failed or _unproved(project, left):
        raise failure.error
    moved += _push_records(project, records)
    project.runs.pushed(records)
    return moved + _push_times(project, [result.entry for result in results if result.status == "ran" and result.entry])


def _records(project: Project, result: StageResult, unpushed: Collection[str]) -> Sequence[str]:
    """Name the records of a result's run, or the one that a run before this wrote and did not get to push."""
    if result.records or not (unpushed and result.entry):
        return result.records
    record = project.runs.record_of(result.entry)
    return (record,) if record in unpushed else ()


def finished(result: StageResult) -> list[Wanted]:
    """Give what of a stage that has just ended may be sent before the others have."""
    made = result.entry if result.status not in _LEFT_ALONE else None
    return _pushable(result.stage, made, remembered=bool(result.records)) if made else []


def prove(project: Project) -> None:
    """Ask the remotes for every object that the lock names, whoever made it and whenever.

    What `push: false` keeps out of remotes is not asked for, nor an import's data, which its source has.

    Raises:
        RemoteError: one is not there as it has to be, or a remote could not say.

    """
    named = tracked.recorded([project.pipeline], (), ".")
    failed = _unproved(project, named)
    if failed:
        raise failed[0].error


def left(project: Project) -> tuple[int, int]:
    """Count the objects, and their bytes, that the lock names and this run did not need."""
    known = project.known()
    named = {recorded.hash for _, out, recorded in _recorded(project, known, ()) if out.cache and recorded.hash}
    absent = project.cache.missing(named)
    counts = [known.footprint(name) if name in absent else _files_left(project, known, name) for name in named]
    return sum(objects for objects, _ in counts), sum(size for _, size in counts)


def _files_left(project: Project, known: Known, name: Hash) -> tuple[int, int]:
    """Count the files that a directory lacks whose listing is here; their bytes are its own less those here."""
    tree = project.cache.tree(name) if name.is_dir else None
    absent = project.cache.missing(tree.names if tree else ())
    if tree is None or not absent:
        return 0, 0
    here = sum(project.cache.path(file).stat().st_size for _, file in tree.members() if file not in absent)
    return len(absent), max(known.footprint(name)[1] - here, 0)


def _pushable(stage: Stage, entry: LockEntry, *, remembered: bool) -> list[Wanted]:
    """Give the outs to push: cached ones and, where the run is remembered, its metrics and plots too."""
    pairs = ((out, entry.out(out.spelled)) for out in stage.outs)
    return [
        (out, recorded.hash)
        for out, recorded in pairs
        if recorded
        and recorded.hash
        and out.push
        and not out.origin
        and (out.cache or (remembered and (out.metric or out.plot)))
    ]


def _left(
    project: Project, stage: Stage, entry: LockEntry, pushable: Iterable[Wanted]
) -> Iterator[tuple[Named, LockedPath]]:
    """Give what of a stage's outs is not, or not all of it, on this machine, and what is recorded of it."""
    for out, name in pushable:
        recorded = entry.out(out.spelled)
        if recorded and not project.objects.at_hand(name):
            yield Named(stage, out), recorded


def _unproved(project: Project, left: Iterable[tuple[Named, LockedPath]]) -> list[Failure]:
    """Ask the remotes for what this machine does not have, every file of directories too; give what is not proved."""
    homes = proof.by_home(proof.opened(project.objects, left))
    failures = []
    for lack in chain.from_iterable(proof.lacking(project, homes)):
        path = lack.out.path
        message = f"{path} is named by the lock, but is neither here nor whole in the remote: {lack.error.message}"
        error = type(lack.error)(message, f"push it from where it was made: `dvc push {path}`")
        failures.append(Failure(lack.name.key, error))
    return failures


def _push_records(project: Project, records: Iterable[str], timed: Mapping[str, LockEntry] = _UNTIMED) -> Moved:
    """Send records of runs last: a record promises that its objects are there. Those of `timed` with their time."""
    names = [] if project.read_only("") else list(records)
    remote = project.remote("") if names else None
    if remote is None:
        return NOTHING
    there = remote.exists(names)
    absent = [name for name in names if name not in there]
    for name in absent:
        creating(remote)(name, project.cache.root / name, unheard)
    if not _lists(remote, names[0]):  # also of records that are there: a push may have been killed in between
        _name_first(project, remote, names)
    sent = Moved(len(absent), sum((project.cache.root / name).stat().st_size for name in absent), 0.0, ())
    return sent + _push_times(project, [timed[name] for name in absent if name in timed])


def _push_times(project: Project, entries: Iterable[LockEntry]) -> Moved:
    """Send how long runs took. That a remote takes no more says nothing of what it has: it is no reason to fail."""
    remote = None if project.read_only("") else project.remote("")
    named = dict.fromkeys(map(project.times.name_of, entries))
    names = [name for name in named if name and (project.cache.root / name).is_file()]
    if remote is None or not names:
        return NOTHING
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only a push comes here

    places = [project.cache.root / name for name in names]
    try:
        with ThreadPoolExecutor(min(project.objects.jobs, len(names))) as several:
            list(several.map(remote.put, names, places))
    except RemoteError as error:
        logger.warning("how long the runs took is not kept: %s", error)
        return NOTHING
    return Moved(len(names), sum(place.stat().st_size for place in places), 0.0, ())


def _lists(remote: Remote, name: str) -> bool:
    """Whether this kind of remote has listings: one that shows us none has them for DVC, which reads no `first`."""
    try:
        next(iter(remote.names(name)), None)
    except Unlistable:
        return False
    except Denied:
        logger.info("%s: listings are refused; what was sent is proved by asking for each of it", remote.url)
    return True


def _name_first(project: Project, remote: Remote, records: Sequence[str]) -> None:
    """Name each run's record where it is found without a listing; of several the first that was pushed stays."""
    firsts = {f"{name.rpartition('/')[0]}/{FIRST}": name.rpartition("/")[2] for name in reversed(records)}
    there = remote.exists(firsts)
    note = project.root / SCRATCH / f"{FIRST}-{os.getpid()}"
    for place in firsts.keys() - there.keys():
        durable.write(note, firsts[place].encode(), sync=False)
        creating(remote)(place, note, unheard)
    note.unlink(missing_ok=True)


def _recorded(project: Project, known: Known, targets: Sequence[str]) -> list[tuple[Stage, Out, LockedPath]]:
    """Give the outs that `targets` name, cached or not, and what is recorded of them."""
    chosen = {one.out.path: one for one in targeting.named(project.pipeline, targets, project.cwd)}
    pairs = ((one.stage, one.out, known.recorded(one.stage, one.out)) for one in chosen.values())
    return [(stage, out, recorded) for stage, out, recorded in pairs if recorded]
