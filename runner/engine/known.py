"""What every path holds, or will hold once what the lock names is put in place.

A fresh clone has none of its data. Its hashes are known all the same: an absent out takes its hash from the lock,
a file inside an absent directory from the directory's listing, a directory that holds several absent outs from all
of them together. So a plan needs no data, and an early look equals the later truth.

What DVC before 3.0 recorded is compared by the hash it used, and keeps that name as long as the bytes are the same;
other bytes get an md5 (DVC 3's migration in place), unless the project is one that DVC 3 does not read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from runner.engine.decision import Absent, Content, Now
from runner.engine.recorded import content_of
from runner.hashes import LEGACY, MD5, Hash, Names, Tree
from runner.pipeline import datasets, params

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from runner.engine.views import Asked, Lying, Stock
    from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Param, Stage
    from runner.pipeline.pipeline import Pipeline


class Known:
    """The workspace seen through the lock."""

    def __init__(self, pipeline: Pipeline, workspace: Lying, stock: Stock, sources: Asked | None = None) -> None:
        """Look through `pipeline`'s lock entries at `workspace`.

        Args:
            pipeline: stages and what the lock says of them.
            workspace: what is on disk.
            stock: the objects that the lock names.
            sources: where deps come from that are not in the project; needed where there are such.

        """
        self._sources = sources
        self.pipeline = pipeline
        self.entries: dict[str, LockEntry] = dict(pipeline.entries)
        self._workspace = workspace
        self._stock = stock
        self._pending: dict[str, LockedPath] = {}
        self._documents: dict[str, dict[str, Any] | None] = {}

    def entry(self, stage: Stage) -> LockEntry | None:
        """Give the lock entry of `stage` as of now."""
        return self.entries.get(stage.address)

    def settle(self, stage: Stage, entry: LockEntry, *, in_place: bool) -> None:
        """Take `entry` for what `stage` wrote; its outs count as given by it until they are put `in_place`."""
        self.entries[stage.address] = entry
        for out in stage.outs:
            self._pending.pop(out.path, None)
            recorded = entry.out(out.spelled)
            if in_place:
                self._workspace.forget(out.path)
            elif recorded:
                self._pending[out.path] = recorded
            for path in [path for path in self._documents if f"{path}/".startswith(f"{out.path}/")]:
                del self._documents[path]

    def now(self, stage: Stage, unsettled: Collection[str]) -> Now:
        """Gather what `decide` needs of `stage`; deps and params that an `unsettled` stage writes are left out."""
        waiting = {path: self._unsettled(path, unsettled) for path in stage.reads}
        upstream = dict.fromkeys(address for addresses in waiting.values() for address in addresses)
        return Now(
            deps=self._deps(stage, waiting),
            params={param.spelled: self.values(param) for param in stage.params if not waiting[param.path]},
            outs={out.spelled: self._out(stage, out) for out in stage.outs},
            upstream=tuple(upstream),
        )

    def on_disk(self, stage: Stage, *, asks: bool = True) -> Now:
        """Gather what lies in the workspace, whatever could be put there: what `dvc status` looks at.

        Args:
            stage: the stage.
            asks: ask the sources of its deps what they hold; otherwise such deps are left out.

        """
        deps = () if stage.frozen else [dep for dep in stage.deps if asks or dep.dataset or not dep.source]
        files = () if stage.frozen else stage.params
        entry = self.entry(stage)
        outs = {out.spelled: self.written(stage, out) for out in stage.outs}
        return Now(
            deps={dep.spelled: self._lying(dep, entry.dep(dep.spelled) if entry else None) for dep in deps},
            params={param.spelled: self.values(param) if self._is_there(param.path) else None for param in files},
            outs={spelled: content or Absent() for spelled, content in outs.items()},
        )

    def _lying(self, dep: Dep, recorded: LockedPath | None) -> Content | None:
        if dep.dataset:
            return self._dataset(dep.dataset)
        return self._asked(dep, recorded) if dep.source else self._seen(dep.path, recorded)

    def _is_there(self, path: str) -> bool:
        return self._workspace.is_there(path)

    def _seen(self, path: str, recorded: LockedPath | None) -> Content | None:
        return self._named(partial(self._workspace.observe, path), recorded)

    def _deps(self, stage: Stage, waiting: Mapping[str, Sequence[str]]) -> dict[str, Content | None]:
        """Look at the deps, those of a frozen stage left out: nobody is asked for what does not count."""
        counted = () if stage.frozen else stage.deps
        return {dep.spelled: self._dep(stage, dep) for dep in counted if not waiting.get(dep.path)}

    def at(self, path: str, kind: str = MD5) -> Content | None:
        """Give what `path` holds or will hold, hashed by `kind`."""
        if self._is_pending(path):
            return self._recorded(path, kind)
        on_disk = self._workspace.observe(path, kind)
        inside = self._absent_inside(path)
        if inside and (on_disk is None or on_disk.hash.is_dir):
            return self._united(path, inside, kind)
        return on_disk or self._recorded(path, kind)

    def written(self, stage: Stage, out: Out) -> Content | None:
        """Give what lies in the place of an out, named as it is to be recorded."""
        return self._seen(out.path, self.recorded(stage, out))

    def _dep(self, stage: Stage, dep: Dep) -> Content | None:
        if dep.dataset:
            return self._dataset(dep.dataset)
        entry = self.entry(stage)
        recorded = entry.dep(dep.spelled) if entry else None
        if dep.source:
            return self._asked(dep, recorded)
        return self._named(partial(self.at, dep.path), recorded)

    def _asked(self, dep: Dep, recorded: LockedPath | None) -> Content | None:
        assert self._sources is not None  # noqa: S101 - given wherever deps have sources
        return self._sources.look(dep, recorded)

    def _dataset(self, name: str) -> Content | None:
        """Give what is recorded of a dataset; `None` where that is nothing, or was made of another spec."""
        dataset = self.pipeline.declared.datasets[name]
        record = dataset.record
        named = datasets.hash_of(record) if record and datasets.is_of(record, dataset.spec) else None
        return Content(named, extra={datasets.KIND: record}) if named else None

    def _named(self, look: Callable[[str], Content | None], recorded: LockedPath | None) -> Content | None:
        """Look by the kind of hash that is recorded; where that is the old one and it differs, by md5."""
        was = recorded.hash if recorded else None
        kind = self.pipeline.kind if was is None else was.name
        if kind != LEGACY:
            return look(MD5)
        content = look(LEGACY)
        return content if content is None or content.hash == was or self.pipeline.kind == LEGACY else look(MD5)

    def values(self, param: Param) -> dict[str, Any] | None:
        """Read a stage's params from one file; `None` where the file is missing."""
        if param.path not in self._documents:
            text = self._text(param.path)
            self._documents[param.path] = None if text is None else params.parse(param.path, text)
        document = self._documents[param.path]
        return None if document is None else dict(params.read(param, document))

    def reread(self) -> None:
        """Read params files anew when they are asked for: a command has run, and may have changed any of them."""
        self._documents.clear()

    def recorded(self, stage: Stage, out: Out) -> LockedPath | None:
        """Give what the lock records of an out."""
        entry = self.entry(stage)
        return entry.out(out.spelled) if entry else None

    def absent(self, path: str) -> list[tuple[Stage, Out]]:
        """Give the outs that have to be put in place before `path` can be read."""
        produced = self.pipeline.producer(path)
        outs = [*([produced] if produced else []), *self.pipeline.outs_inside(path)]
        return [(stage, out) for stage, out in outs if self._is_absent(stage, out)]

    def parts(self, out: Out, name: Hash, paths: Sequence[str]) -> dict[str, dict[str, Hash]] | None:
        """Give the files by which `paths` can be read, of a directory that is not here; `None` if that takes all of it.

        By the path that is read, then by the file's. All of it is taken where the cache does not keep it, where it has
        a source of its own, and where the cache holds it: then nothing is spared.
        """
        is_inside = all(path.startswith(f"{out.path}/") for path in paths)
        if not (is_inside and name.is_dir and out.cache and not out.origin and self._workspace.may_be_lent(out.path)):
            return None
        tree = None if self._stock.at_hand(name) else self._stock.listing(name)
        if tree is None:
            return None
        unseen = [path for path in paths if self._workspace.observe_out(path, name.name) is None]
        return {path: dict(_at(tree, path, path[len(out.path) + 1 :])) for path in unseen}

    def is_in_place(self, out: Out, name: Hash) -> bool:
        """Whether the workspace holds `name` where the out belongs."""
        content = self._workspace.observe_out(out.path, name.name)
        return content is not None and content.hash == name

    def members(self, name: Hash) -> Names:
        """Give the objects of a directory's files; none for a file, or where nobody has the listing."""
        tree = self._stock.listing(name) if name.is_dir else None
        return tree.names if tree else Names.of(())

    def footprint(self, name: Hash) -> tuple[int, int]:
        """Give how many objects and bytes an out or a dep of this hash is, as the lock records it."""
        entries = self.entries.values()
        outs = (recorded for entry in entries for recorded in entry.outs)
        deps = (recorded for entry in entries for recorded in entry.deps)
        found = next((recorded for recorded in chain(outs, deps) if recorded.hash == name), None)
        return 1 + ((found and found.nfiles) or 0), (found and found.size) or 0

    def _is_pending(self, path: str) -> bool:
        """Whether `path` is an out, or lies in one, that is about to be replaced."""
        produced = self.pipeline.producer(path) if self._pending else None
        return produced is not None and produced[1].path in self._pending

    def _text(self, path: str) -> str | None:
        """Read a params file, from its object where a stage wrote it and it is not in place."""
        text = None if self._is_pending(path) else self._workspace.read(path)
        produced = self.pipeline.producer(path)
        if text is not None or produced is None:
            return text
        content = self._recorded(path)
        found = self._stock.read(produced[1], content.hash) if content and not content.hash.is_dir else None
        return None if found is None else found.decode("utf-8-sig", "replace")

    def _is_absent(self, stage: Stage, out: Out) -> bool:
        recorded = self.recorded(stage, out)
        name = recorded.hash if recorded else None
        return name is not None and self._workspace.observe_out(out.path, name.name) is None

    def _unsettled(self, path: str, unsettled: Collection[str]) -> list[str]:
        produced = self.pipeline.producer(path)
        writers = [*([produced] if produced else []), *self.pipeline.outs_inside(path)]
        return [stage.address for stage, _ in writers if stage.address in unsettled]

    def _out(self, stage: Stage, out: Out) -> Content | Absent:
        if out.path in self._pending:
            return content_of(self._pending[out.path]) or Absent()
        observe = self._workspace.observe if stage.is_tracked else self._workspace.observe_out
        recorded = self.recorded(stage, out)
        content = self._named(partial(observe, out.path), recorded)
        if content:
            return content
        name = recorded.hash if recorded else None
        return Absent(at_hand=bool(name and name.is_valid and self._stock.at_hand(name)))

    def _recorded(self, path: str, kind: str = "") -> Content | None:
        """Give what the lock says of an absent path, an out or something inside one; as if hashed by `kind`, if given.

        The two hashes of a file differ only where it is text with CRLF in it.
        """
        content = self._said_of(path)
        if content is None or content.hash.name == (kind or content.hash.name):
            return content
        return replace(content, hash=replace(content.hash, name=kind))

    def _said_of(self, path: str) -> Content | None:
        produced = self.pipeline.producer(path)
        if not produced:
            return None
        stage, out = produced
        recorded = self.recorded(stage, out)
        if recorded is None or recorded.hash is None:
            return None
        if out.path == path:
            return content_of(recorded)
        if out.path not in self._pending and self._workspace.observe(out.path, recorded.hash.name):
            return None  # the directory is there, and this is not in it
        found = self._inside(recorded.hash, path.removeprefix(f"{out.path}/"))
        if isinstance(found, Tree):
            return Content(found.hash, nfiles=len(found))
        return Content(found) if found else None

    def _inside(self, name: Hash, relpath: str) -> Hash | Tree | None:
        tree = self._stock.listing(name) if name.is_dir else None
        return tree.lookup(relpath) if tree else None

    def _absent_inside(self, path: str) -> list[tuple[str, LockedPath]]:
        """Give the outs inside directory `path` that are recorded and not on disk, or about to be replaced."""
        found = []
        for stage, out in self.pipeline.outs_inside(path):
            recorded = self._pending.get(out.path) or self.recorded(stage, out)
            if recorded is None or recorded.hash is None:
                continue
            if out.path in self._pending or self._workspace.observe_out(out.path, recorded.hash.name) is None:
                found.append((out.path, recorded))
        return found

    def _united(self, path: str, inside: list[tuple[str, LockedPath]], kind: str) -> Content | None:
        """Join what is on disk with what will be, as one listing."""
        files = dict(self._workspace.tree(path, kind)) if self._workspace.observe(path, kind) else {}
        for place, recorded in inside:
            relpath = place.removeprefix(f"{path}/")
            files = {name: md5 for name, md5 in files.items() if not name.startswith(f"{relpath}/")}
            added = self._files(relpath, recorded)
            if added is None:
                return None
            files.update(added)
        tree = Tree.of(files.items(), kind)
        return Content(tree.hash, nfiles=len(tree))

    def _files(self, relpath: str, recorded: LockedPath) -> Mapping[str, str] | None:
        if recorded.hash is None or not recorded.hash.is_dir:
            return {relpath: recorded.hash.value} if recorded.hash else None
        tree = self._stock.listing(recorded.hash)
        return None if tree is None else {f"{relpath}/{inner}": md5 for inner, md5 in tree}


def _at(tree: Tree, path: str, relpath: str) -> Iterator[tuple[str, Hash]]:
    """Give the files at `relpath` of a listing, it or those below it, by the path each has if that is `path`."""
    found = tree.lookup(relpath)
    if isinstance(found, Hash):
        yield path, found
    elif found:
        yield from ((f"{path}/{inner}", member) for inner, member in found.members())
