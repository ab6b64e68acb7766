"""What stages wrote, kept: outs in the cache and in place. What is written down of them is `recording`."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from runner.durable import temporary_name
from runner.engine import aside, survivors
from runner.engine.aside import Aside
from runner.engine.decision import UNTRACKABLE
from runner.engine.lending import Lending
from runner.engine.outcome import StageFailed
from runner.engine.recording import Recording
from runner.engine.workspace import SCRATCH, refusals
from runner.errors import ConfigError, Corrupt, ObjectMissing
from runner.hashes import LEGACY, MD5, Hash, Names, differing
from runner.store.cache import Cache
from runner.store.digest import hash_as

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from runner.engine.decision import Content, Now
    from runner.engine.dvclock import DvcLock
    from runner.engine.workspace import Workspace
    from runner.pipeline.model import Out, Stage

logger = logging.getLogger("retrain")


class Keeping:
    """Writes to the project's folder; everything it replaces is complete before the old is gone."""

    def __init__(
        self,
        workspace: Workspace,
        cache: Cache,
        tracked: Collection[str],
        ignored: Collection[str],
        dvc: DvcLock | None = None,
    ) -> None:
        """Keep for `workspace`, whose lock is held by whoever calls.

        Args:
            workspace: the working tree.
            cache: the local object cache.
            tracked: paths of outs that git tracks.
            ignored: paths of outs that git ignores.
            dvc: DVC's locks, the first of them taken; none where DVC has nothing to do with the folder.

        What killed runs left is put right first: their commands that still run, outs that they had moved.

        """
        self._dvc = dvc
        self._workspace = workspace
        self._cache = cache
        self._copies = Cache(cache.root, ("copy",), meter=cache.meter, shared=cache.shared)
        self._tracked = tracked
        self.recording = Recording(workspace, ignored, dvc.locked if dvc else nullcontext)
        survivors.end(workspace.path(SCRATCH))
        self._recover()

    @cached_property
    def mark(self) -> Mapping[str, str]:
        """The variables by which this run's commands are known, should it be killed."""
        return survivors.begin(self._workspace.path(SCRATCH))

    @cached_property
    def lending(self) -> Lending:
        """What of directories that are not here is put in place for a while."""
        return Lending(self._workspace, self._copies, self._dvc)

    def reserved(self, stage: Stage) -> AbstractContextManager[None]:
        """Keep DVC away from what a stage reads and writes, while it runs."""
        if self._dvc is None:
            return nullcontext()
        return self._dvc.reserved((dep.path for dep in stage.local_deps), (out.path for out in stage.outs))

    def unlocked(self) -> AbstractContextManager[None]:
        """Let DVC's other commands go on while a command of ours runs."""
        return self._dvc.unlocked() if self._dvc else nullcontext()

    def may_remember(self, stage: Stage, before: Now) -> bool:
        """DVC's rule for writing the run cache: inputs of the project, and outs, each cached or a metric or a plot.

        A params file that is tracked whole and holds nothing has no hash, to DVC, and so no run to look up.
        """
        if stage.always_changed or not stage.reads or not stage.outs or any(dep.source for dep in stage.deps):
            return False
        if not all(before.params[param.spelled] for param in stage.params):
            return False
        return all((out.cache or out.metric or out.plot) and not out.persist for out in stage.outs)

    def add(self, out: Out, content: Content) -> None:
        """Take an out that lies in the workspace into the cache."""
        self._workspace.check_inside(out.path, self._cache.root)
        cache = self._cache if out.cache else self._copies
        tree = self._workspace.tree(out.path, content.hash.name) if content.hash.is_dir else None
        cache.add(self._workspace.path(out.path), content.hash, tree)

    def put(self, out: Out, name: Hash, *, isexec: bool) -> None:
        """Put an out in place from the cache; what git tracks is a file of its own, never a link.

        Files in a directory that DVC does not see (.dvcignore) survive, as they do with DVC.
        """
        self._check_parent(out)
        if self._workspace.observe_out(out.path, name.name):
            self._workspace.check_inside(out.path, self._cache.root)
        cache = self._cache if out.cache else self._copies
        with self._unseen_kept(out, name.name):
            cache.checkout(name, self._workspace.path(out.path), isexec=isexec)
        self._workspace.forget(out.path)

    def put_files(self, files: Mapping[str, Hash]) -> None:
        """Put single files of a directory, by repository-relative path, in place from the cache where nothing is."""
        for folder in {str(PurePosixPath(path).parent) for path in files}:
            self._workspace.check_inside(folder)
        self._cache.place_files([(str(self._workspace.path(path)), name) for path, name in files.items()])
        for folder in {str(PurePosixPath(path).parent) for path in files}:
            self._workspace.forget(folder)

    def _check_parent(self, out: Out) -> None:
        """Refuse to write or to move where a linked folder leads out of the project."""
        self._workspace.check_inside(str(PurePosixPath(out.path).parent))

    @contextmanager
    def _unseen_kept(self, out: Out, kind: str) -> Iterator[None]:
        """Carry the files of a directory that are no part of its listing over its replacement."""
        with self._aside([(f"{out.path}/{path}", False) for path in self._unseen(out, kind)]):
            yield

    def _unseen(self, out: Out, kind: str) -> list[str]:
        """Give the files in a directory that DVC does not see. A link to a directory is replaced, not what is in it."""
        place = self._workspace.path(out.path)
        content = self._workspace.observe_out(out.path, kind)
        if content is None or not content.hash.is_dir or place.is_symlink():
            return []
        seen = {path for path, _ in self._workspace.tree(out.path, kind)}
        files = (path for path in place.rglob("*") if path.is_symlink() or path.is_file())
        return [path for path in (file.relative_to(place).as_posix() for file in files) if path not in seen]

    @contextmanager
    def _aside(self, places: Sequence[tuple[str, bool]]) -> Iterator[Aside]:
        """Have files out of the way; at the end they come back, unless they were dropped.

        An interruption while they come back is waited out: they come back first.
        """
        out_of_the_way = Aside(self._workspace, aside.scratch(), places)
        try:
            out_of_the_way.take()
            yield out_of_the_way
        finally:
            try:
                out_of_the_way.put_back()
            except BaseException:
                out_of_the_way.put_back()
                raise

    def _recover(self) -> None:
        """Put back what a run that was killed had moved out of the way."""
        for found in aside.leftovers(self._workspace):
            for backup, path, stayed in found.held:
                both = all(os.path.lexists(self._workspace.path(place)) for place in (backup, path))
                if both and not self._is_saved(path if stayed else backup, path):
                    break
                if both and not stayed:
                    aside.remove(self._workspace.path(backup))
            else:
                found.put_back()

    def _is_saved(self, place: str, path: str) -> bool:
        """Take what lies at `place`, an out from `path`, into the cache; false where that cannot be done."""
        try:
            content = self._workspace.observe(place)
            self._workspace.check_inside(place, self._cache.root)
            if content and not self._holds(place, content):
                self._save(place, content)
                logger.warning("%s, as a killed run had left it aside, stays in the cache as %s", path, content.hash)
        except (ConfigError, OSError) as error:
            logger.warning("what a killed run left of %s stays in %s: %s", path, SCRATCH, error)
            return False
        return True

    def _save(self, place: str, content: Content) -> None:
        tree = self._workspace.tree(place) if content.hash.is_dir else None
        self._copies.add(self._workspace.path(place), content.hash, tree)

    def rescue(self, out: Out, content: Content) -> None:
        """Keep bytes that nothing else holds before they are replaced."""
        self._workspace.check_inside(out.path, self._cache.root)
        if content is UNTRACKABLE:
            kept = f"{SCRATCH}/left-{os.urandom(6).hex()}/{PurePosixPath(out.path).name}"
            aside.move(self._workspace.path(out.path), self._workspace.path(kept))
            self._workspace.forget(out.path)
            logger.warning("%s cannot be tracked and is replaced; it is kept as %s", out.path, kept)
        elif (out.cache or out.path not in self._tracked) and not self._holds(out.path, content):
            self._save(out.path, content)
            logger.warning(
                "%s in the workspace is replaced and was in no cache; its bytes stay in the cache as %s",
                out.path,
                content.hash,
            )

    def holds(self, out: Out, content: Content) -> bool:
        """Whether the cache holds every file of what lies where an out belongs, of a directory in any arrangement."""
        if content is UNTRACKABLE:
            return False
        files = self._files(out.path, content).values()
        try:
            for name in set(files):
                self._cache.verify(name)
        except (ObjectMissing, Corrupt):
            return self._holds_as_before_3(out.path, content, in_any_arrangement=True)
        return True

    def is_part(self, out: Out, content: Content, name: Hash) -> bool:
        """Whether a directory holds nothing but files of the listing `name`, as after a pull of some of them."""
        if content is UNTRACKABLE or not (content.hash.is_dir and name.is_dir):
            return False
        if name.name != content.hash.name and not self._holds_as_before_3(out.path, content, in_any_arrangement=True):
            return False
        lying, listing = self._workspace.tree(out.path, name.name), self._cache.tree(name)
        return all(not was for _, was, _ in differing(lying, listing))

    def never_here(self, out: Out, content: Content, name: Hash) -> int:
        """Count the files of the listing `name` that a directory lacks, and the cache too: nobody deleted them here."""
        if not (content.hash.is_dir and name.is_dir and name.is_valid and self._cache.has(name)):
            return 0
        lying, listing = self._workspace.tree(out.path, content.hash.name), self._cache.tree(name)
        absent = Names.of(Hash(now, listing.kind) for _, was, now in differing(lying, listing) if not was)
        return len(self._cache.missing(absent - lying.names))

    def _holds(self, place: str, content: Content) -> bool:
        """Whether the cache holds what lies at `place`, of a directory all of it, under either kind of name."""
        try:
            self._cache.verify(content.hash)
            for member in self._cache.tree(content.hash).names if content.hash.is_dir else ():
                self._cache.verify(member)
        except (ObjectMissing, Corrupt):
            return self._holds_as_before_3(place, content)
        return True

    def _holds_as_before_3(self, place: str, content: Content, *, in_any_arrangement: bool = False) -> bool:
        """Whether objects under DVC's old names are these very bytes: two texts may share a name and differ in CRLF."""
        legacy = self._workspace.observe_out(place, LEGACY)
        if legacy is None or not (in_any_arrangement or self._cache.has(legacy.hash)):
            return False
        raw, old = self._files(place, content), self._files(place, legacy)
        try:
            return all(hash_as(MD5, self._cache.place(old[path])) == raw[path].value for path in raw)
        except FileNotFoundError:
            return False

    def _files(self, place: str, content: Content) -> dict[str, Hash]:
        """Give the name of each file at `place`, by its path inside; of a single file under the empty path."""
        if not content.hash.is_dir:
            return {"": content.hash}
        return dict(self._workspace.tree(place, content.hash.name).members())

    def check_untracked(self, stage: Stage) -> None:
        """Refuse, before anything runs, an out that both git and the cache would keep."""
        for out in stage.outs:
            if out.cache and out.path in self._tracked:
                message = (
                    f"output {out.path!r} is tracked by git, so the cache cannot keep it: "
                    f"`git rm --cached {out.path}`, or declare it with `cache: false`"
                )
                raise StageFailed(message)

    @contextmanager
    def aside(self, stage: Stage) -> Iterator[Callable[[], None]]:
        """Move a stage's outs out of its way; they come back unless the yielded function is called.

        Outs that persist stay, as files of their own that the command may change.
        """
        for out in stage.outs:
            self._check_parent(out)
        found = [out for out in stage.outs if os.path.lexists(self._workspace.path(out.path))]
        for out in found:
            self._make_ready(out)
        try:
            if found:
                with self._aside([(out.path, out.persist) for out in found]) as out_of_the_way:
                    yield out_of_the_way.drop
            else:
                yield lambda: None
        finally:
            for out in stage.outs:
                self._workspace.forget(out.path)

    def _make_ready(self, out: Out) -> None:
        """Keep what an out holds before it steps aside, or make it one that the command may write to."""
        if out.persist:
            with refusals(out.path, "copied"):
                _unprotect(self._workspace.path(out.path))
            return
        content = self._workspace.observe_out(out.path)
        if content and content is not UNTRACKABLE and not self._leads_out(out):
            self.rescue(out, content)

    def _leads_out(self, out: Out) -> bool:
        """Whether the out is a link whose bytes lie elsewhere: they stay there when the link steps aside."""
        try:
            self._workspace.check_inside(out.path, self._cache.root)
        except ConfigError:
            return True
        return False


def _unprotect(place: Path) -> None:
    """Replace links into the cache by files of their own, writable, so that a command cannot change an object."""
    for path in [place, *place.rglob("*")] if place.is_dir() else [place]:
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            continue
        if path.is_symlink() or status.st_nlink > 1:
            import shutil  # noqa: PLC0415 - loads four compressors, and few outs are links

            temporary = path.with_name(temporary_name())
            shutil.copyfile(path, temporary)
            temporary.replace(path)
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)
