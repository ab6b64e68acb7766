"""Workspace files into the cache: copied, hashed while they are copied, and on the disk before they count as there."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH116, PTH121

from __future__ import annotations

import os
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from runner.errors import Corrupt, ObjectMissing
from runner.hashes import Hash, Names
from runner.store import batch, disk, links
from runner.store.batch import Batch
from runner.store.digest import MD5_LENGTH, beside, digest_for, hash_as, other_than
from runner.store.incoming import Incoming
from runner.store.meter import Tally, Work, once
from runner.store.state import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from runner.hashes import Tree
    from runner.store.verified import VerifiedObjects

    _File = tuple[str, Hash]
    """A file's absolute path, and its name as an object."""

_EXECUTABLE = 0o111

_TOGETHER: Final = 1 << 15
"""Files that are staged, and waited for, together: 20 MB of text."""


def add(cache: VerifiedObjects, source: Path, name: Hash, tree: Tree | None, types: Sequence[str]) -> None:
    """Bring a file, or the directory of the listing `tree`, into the cache; see `Cache.add`."""
    files = partial(_files, source, name, tree)
    copied = _add_files(cache, files, types)
    if tree is not None:
        _add_listing(cache, name, tree)
    if types and types[0] in links.SHARING:
        _share(cache, files(), copied, links.Linker(types))


def _files(source: Path, name: Hash, tree: Tree | None) -> Iterator[_File]:
    if tree is None:
        return iter([(os.fspath(source), name)])
    return ((f"{source}/{relpath}", Hash(md5, name.name)) for relpath, md5 in tree)


def _add_files(cache: VerifiedObjects, files: Callable[[], Iterator[_File]], types: Sequence[str]) -> Names:
    """Add each file whose object is absent or broken, many at once; give the names of those."""
    wanted = _unusable(cache, Names.of(name for _, name in files()))
    is_durable = len(wanted) <= batch.FEW  # for more the whole file system is written through, new folders too
    tally = Tally()
    total = once(lambda: sum(disk.size(source) for several in _sources(files(), wanted) for source, _ in several))
    cloner = links.Cloner(types)
    with cache.meter.watch(Work("add", tally.counts, len(wanted), total)):
        for several in _sources(files(), wanted):
            _add_some(cache, several, cloner, tally, durable=is_durable)
    return wanted


def _sources(files: Iterator[_File], wanted: Names) -> Iterator[list[_File]]:
    """Give, so many at once as are held, each object of `wanted` once, with a file that has its bytes."""
    while wanted and (coming := {name: source for source, name in islice(files, _TOGETHER)}):
        mine = wanted & Names.of(coming)
        wanted -= mine
        chosen = set(mine)
        yield [(source, name) for name, source in coming.items() if name in chosen]


def _add_some(
    cache: VerifiedObjects, files: Iterable[_File], cloner: links.Cloner, tally: Tally, *, durable: bool
) -> None:
    staged = Batch()
    large: list[Hash] = []
    ready = ""
    try:
        for source, name in files:
            place = cache.place(name)
            if cache.folder_mode is not None:
                cache.make_folder_of(place, durable=durable)
            ready = disk.temporary(place)
            size = _stage(source, ready, name, cloner, durable=durable)
            staged.add(ready, place)
            large += [name] if size >= SMALL else []
            tally.report(size)
            tally.objects += 1
        staged.keep()
    except BaseException:
        staged.drop()
        disk.remove(ready)
        raise
    for name in large:
        cache.wrote(name)


def _unusable(cache: VerifiedObjects, names: Names) -> Names:
    """Give those of `names` that are absent or, hashed, turn out broken."""
    absent = cache.missing(names)
    return absent | Names.of(name for name in names - absent if not _is_good(cache, name))


def _is_good(cache: VerifiedObjects, name: Hash) -> bool:
    try:
        cache.prove(name)
    except (Corrupt, ObjectMissing):
        return False
    return True


def _stage(source: str, ready: str, name: Hash, cloner: links.Cloner, *, durable: bool) -> int:
    """Copy a workspace file to a temporary name, hashing what was copied, or let it share the file's blocks.

    Gives its size in bytes.
    """
    try:
        content = None if cloner.may else disk.small(source, SMALL)
        reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC) if content is None else -1
    except FileNotFoundError:
        raise _changed(source, name) from None
    if content is None:
        size, found = _copy(reader, ready, name, cloner, durable=durable)
        if found != name.value:
            raise _changed(source, name)
        return size
    if other_than(name, content):
        raise _changed(source, name)
    _write(ready, content, durable=durable)
    return len(content)


def _write(ready: str, content: bytes, *, durable: bool) -> None:
    writer = disk.create(ready, disk.READ_ONLY, durable=durable)
    try:
        disk.write_all(writer, content)
        os.fchmod(writer, disk.READ_ONLY)
    finally:
        os.close(writer)


def _copy(reader: int, ready: str, name: Hash, cloner: links.Cloner, *, durable: bool) -> tuple[int, str]:
    """Copy an open file, which is closed then, or share its blocks; give the size, and the digest of what is there."""
    try:
        writer = disk.create(ready, disk.READ_ONLY, durable=durable)
        try:
            with beside(digest_for(name)) as digest:
                if cloner.clone(reader, writer):
                    for chunk in disk.chunks(writer):
                        digest.update(chunk)
                else:
                    disk.copy(reader, writer, digest)
            os.fchmod(writer, disk.READ_ONLY)
            return os.lseek(writer, 0, os.SEEK_CUR), digest.hexdigest()
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _add_listing(cache: VerifiedObjects, name: Hash, tree: Tree) -> None:
    """Add a listing; its files are there by now."""
    if not _unusable(cache, Names.of([name])):
        return
    cache.make_folder_of(cache.place(name), durable=True)
    incoming = Incoming(cache.place(name), name)
    try:
        for chunk in tree.rendered():
            incoming.write(chunk)
        batch.keep([(incoming.verified(), cache.place(name))])
    finally:
        incoming.close()


def _share(cache: VerifiedObjects, files: Iterable[_File], copied: Names, linker: links.Linker) -> None:
    """Replace workspace files by links to their objects, after proving that nothing is lost by it."""
    for source, name in files:
        found = os.stat(source)
        if found.st_mode & _EXECUTABLE or not found.st_size or os.path.samefile(source, cache.place(name)):
            continue
        if name not in copied and hash_as(name.name, source) != name.value[:MD5_LENGTH]:
            raise _changed(source, name)
        ready, is_new = disk.temporary(source), cache.has_written(name, cache.place(name))
        if linker.link(cache.place(name), ready):
            os.replace(ready, source)
            if is_new:
                cache.wrote(name)


def _changed(source: str, name: Hash) -> Corrupt:
    message = f"{source} changed while it was being added: it is not {name} any more"
    return Corrupt(message, "something else writes to it; run again when it holds still")
