"""Objects into the workspace: built beside their place, verified on the way, and put there when they are complete."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH101, PTH102, PTH104, PTH116, PTH120

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.errors import Corrupt, ObjectMissing, RemoteError
from runner.store import disk, links
from runner.store.meter import Tally, Work, once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.hashes import Hash, Tree
    from runner.store.meter import Report
    from runner.store.verified import VerifiedObjects

_EMPTY = "d41d8cd98f00b204e9800998ecf8427e"
"""The md5 of no bytes: an empty file is always one of its own, as there is nothing to share."""

_OWNER_EXECUTES = 0o100


def put_in_place(cache: VerifiedObjects, name: Hash, target: str, types: Sequence[str], *, isexec: bool) -> int:
    """Put a file or a directory at `target`, whatever is there; give the number of files; see `Cache.checkout`."""
    ready = disk.temporary(target)
    try:
        count = _build(cache, name, ready, links.Linker(() if isexec else types))
        if isexec:
            os.chmod(ready, os.stat(ready).st_mode | _OWNER_EXECUTES)
        disk.install(ready, target)
    except BaseException:
        disk.remove(ready)
        raise
    return count


def _build(cache: VerifiedObjects, name: Hash, ready: str, linker: links.Linker) -> int:
    """Make the file or directory under the temporary name `ready`."""
    tree = cache.tree(name) if name.is_dir else None
    disk.make_folder(os.path.dirname(ready))
    if tree is None:
        tally = Tally()
        with cache.meter.watch(Work("checkout", tally.counts, 1, lambda: cache.size([name]))):
            _counted(cache, name, ready, linker, tally)
        return 1
    os.mkdir(ready)
    for parent in sorted({relpath.rpartition("/")[0] for relpath, _ in tree}):
        disk.make_folder(f"{ready}/{parent}" if parent else ready)
    _fill(cache, name, tree, ready, linker)
    return len(tree)


def put_beside(cache: VerifiedObjects, files: Sequence[tuple[str, Hash]], types: Sequence[str]) -> None:
    """Put single files at their targets, each whole or not at all, where nothing is; see `Cache.place_files`."""
    absent = [(target, name) for target, name in files if not os.path.lexists(target)]
    for folder in sorted({os.path.dirname(target) for target, _ in absent}):
        disk.make_folder(folder)
    linker, tally = links.Linker(types), Tally()
    broken: dict[Hash, Corrupt] = {}
    total = once(lambda: cache.size(name for _, name in absent))
    with cache.meter.watch(Work("checkout", tally.counts, len(absent), total)):
        for target, name in absent:
            if name not in broken:
                try:
                    _put_new(cache, name, target, linker, tally)
                except Corrupt as error:
                    broken[name] = error
    if broken:
        first = next(iter(broken.values()))
        message = f"{len(broken)} objects are broken; {first.message}"
        raise Corrupt(message, first.hint)


def _put_new(cache: VerifiedObjects, name: Hash, target: str, linker: links.Linker, tally: Tally) -> None:
    if os.path.lexists(target):
        message = f"this file system cannot tell {target!r} from another name of its directory"
        raise RemoteError(message, "it ignores case or normalises names; use one that does not")
    ready = disk.temporary(target)
    try:
        _counted(cache, name, ready, linker, tally)
        os.rename(ready, target)
    except BaseException:
        disk.remove(ready)
        raise


def _fill(cache: VerifiedObjects, name: Hash, tree: Tree, folder: str, linker: links.Linker) -> None:
    """Put all of a directory's files into `folder`, which holds its sub-directories and nothing else."""
    tally, total = Tally(), once(lambda: cache.size(member for _, member in tree.members()))
    with cache.meter.watch(Work("checkout", tally.counts, len(tree), total)):
        broken = _fill_all(
            cache, name, tree, lambda member, relpath: _counted(cache, member, f"{folder}/{relpath}", linker, tally)
        )
    if broken:
        first = next(iter(broken.values()))
        message = f"{len(broken)} objects of the directory {name} are broken; {first.message}"
        raise Corrupt(message, first.hint)


def _counted(cache: VerifiedObjects, member: Hash, target: str, linker: links.Linker, tally: Tally) -> None:
    _materialise(cache, member, target, linker, tally.report)
    tally.objects += 1


def _fill_all(cache: VerifiedObjects, name: Hash, tree: Tree, put: Callable[[Hash, str], None]) -> dict[Hash, Corrupt]:
    """Put what is good in place; give what is broken."""
    broken: dict[Hash, Corrupt] = {}
    for relpath, member in tree.members():
        if broken and member in broken:
            continue
        try:
            put(member, relpath)
        except FileExistsError:
            message = f"this file system cannot tell {relpath!r} from another name of the directory {name}"
            raise RemoteError(message, "it ignores case or normalises names; use one that does not") from None
        except Corrupt as error:
            broken[member] = error
        except ObjectMissing as error:
            absent = cache.missing(tree.names)
            message = f"{len(absent)} objects of the directory {name} are not in the cache; {error.message}"
            raise ObjectMissing(message, error.hint) from None
    return broken


def _materialise(cache: VerifiedObjects, name: Hash, target: str, linker: links.Linker, report: Report) -> None:
    """Make the new file `target` of an object, by a link or a copy, verified either way."""
    place = cache.place(name)
    try:
        is_new = cache.has_written(name, place)
        if name.value != _EMPTY and linker.link(place, target):
            if is_new:
                cache.wrote(name)  # a link changes what the system says of it
            else:
                cache.prove(name, place)
            return
        content = cache.small(name, place)
        if content is None:
            _copy(cache, name, place, target, report)
        else:
            _write(target, content)
            report(len(content))
    except FileNotFoundError:
        raise cache.gone(name) from None


def _write(target: str, content: bytes) -> None:
    """Write the new file `target`, whose mode the umask decides."""
    writer = disk.create(target)
    try:
        disk.write_all(writer, content)
    finally:
        os.close(writer)


def _copy(cache: VerifiedObjects, name: Hash, place: str, target: str, report: Report) -> None:
    """Copy a large object to the new file `target`; hash what is copied unless the object is known to be good."""
    reader = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = disk.create(target)
        try:
            if cache.is_known(name, place):
                disk.copy(reader, writer, report=report)
            else:
                with cache.hashing(name, place) as digest:
                    disk.copy(reader, writer, digest, report)
        finally:
            os.close(writer)
    finally:
        os.close(reader)
