"""Workspace files into the cache: copied, hashed while they are copied, and on the disk before they count as there."""
# One system call a file over many small files, see disk.py:
# ruff: noqa: PTH105, PTH116, PTH121

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.errors import Corrupt, ObjectMissing
from runner.hashes import Hash
from runner.store import batch, disk, links
from runner.store.batch import Batch
from runner.store.digest import MD5_LENGTH, beside, digest_for, hash_as, other_than
from runner.store.incoming import Incoming
from runner.store.meter import Tally, Work, once
from runner.store.state import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from runner.hashes import Tree
    from runner.store.verified import VerifiedObjects

_EXECUTABLE = 0o111


def add(cache: VerifiedObjects, source: Path, name: Hash, tree: Tree | None, types: Sequence[str]) -> None:
    """Bring a file, or the directory of the listing `tree`, into the cache; see `Cache.add`."""
    files = [(os.fspath(source), name)]
    if tree is not None:
        files = [(f"{source}/{relpath}", Hash(md5, name.name)) for relpath, md5 in tree]
    copied = _add_files(cache, files, types)
    if tree is not None:
        _add_listing(cache, name, tree)
    if types and types[0] in links.SHARING:
        _share(cache, files, copied, links.Linker(types))


def _add_files(cache: VerifiedObjects, files: Iterable[tuple[str, Hash]], types: Sequence[str]) -> set[Hash]:
    """Add each file whose object is absent or broken; give the names of those."""
    sources = {name: source for source, name in files}
    wanted = _unusable(cache, list(sources))
    staged = Batch()
    large: list[Hash] = []
    ready = ""
    is_durable = len(wanted) <= batch.FEW  # for more the whole file system is written through, new folders too
    tally, total = Tally(), once(lambda: sum(disk.size(sources[name]) for name in wanted))
    cloner = links.Cloner(types)
    try:
        with cache.meter.watch(Work("add", tally.counts, len(wanted), total)):
            for name in wanted:
                place = cache.place(name)
                if cache.folder_mode is not None:
                    cache.make_folder_of(place, durable=is_durable)
                ready = disk.temporary(place)
                size = _stage(sources[name], ready, name, cloner, durable=is_durable)
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
    return set(wanted)


def _unusable(cache: VerifiedObjects, names: list[Hash]) -> list[Hash]:
    """Give those of `names` that are absent or, hashed, turn out broken, in order."""
    absent = set(cache.missing(names))
    for name in names:
        if name not in absent:
            try:
                cache.prove(name)
            except (Corrupt, ObjectMissing):
                absent.add(name)
    return [name for name in names if name in absent]


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
    if not _unusable(cache, [name]):
        return
    cache.make_folder_of(cache.place(name), durable=True)
    incoming = Incoming(cache.place(name), name)
    try:
        for chunk in tree.rendered():
            incoming.write(chunk)
        batch.keep([(incoming.verified(), cache.place(name))])
    finally:
        incoming.close()


def _share(cache: VerifiedObjects, files: Iterable[tuple[str, Hash]], copied: set[Hash], linker: links.Linker) -> None:
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
