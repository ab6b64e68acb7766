"""Git repositories that data is imported from: their files at a commit, git's own and those that DVC keeps for them."""

from __future__ import annotations

import os
import posixpath
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.engine import dvcignore
from runner.engine.decision import Content
from runner.engine.workspace import SCRATCH
from runner.errors import ObjectMissing, RemoteError
from runner.git import is_commit
from runner.hashes import LEGACY, Hash, Tree, hash_bytes
from runner.pipeline import config, files
from runner.pipeline.addresses import is_dvc_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.git import Git
    from runner.git.elsewhere import Elsewhere
    from runner.pipeline.config import Config
    from runner.pipeline.model import Out, Stage
    from runner.pipeline.pipeline import Pipeline
    from runner.pipeline.source import Repo, Source
    from runner.store.cache import Cache
    from runner.store.remote import Remote

_DEEPEST = 5
"""Repositories that import from one another are followed so far."""
_MARK = ".dvc/config"
"""What makes a folder a DVC project."""


class Repositories:
    """The git repositories that a project imports from, each asked and fetched once."""

    def __init__(self, root: Path, environ: Mapping[str, str], cache: Cache, jobs: int, *, strict: bool) -> None:
        """Fetch repositories into folders of their own.

        Args:
            root: the folder that relative paths of repositories start from.
            environ: the environment, for git and for clients.
            cache: where data goes.
            jobs: requests at once.
            strict: take only commits that a branch or a tag leads to: who names them is not trusted.

        """
        self.root = root
        self.environ = environ
        self.cache = cache
        self.jobs = jobs
        self._scratch = root / SCRATCH / "repos"
        self._strict = strict
        self._tips: dict[tuple[str, str], str] = {}

    def tip(self, repo: Repo, *, guarded: bool) -> str:
        """Give the commit that a repository's `rev` names now; one request, and none for a full commit id.

        Raises:
            GitError: it cannot be reached, or has no such revision.
            RemoteError: whoever chose it is not trusted, and it is not public.

        """
        asked = (repo.url, repo.rev)
        if asked not in self._tips:
            self._tips[asked] = self._tip(repo, guarded=guarded)
        return self._tips[asked]

    def bring(self, source: Source, commit: str, *, guarded: bool, depth: int = _DEEPEST) -> Content:
        """Bring a file or directory of a repository at `commit` into the cache; give what a copy of it holds."""
        assert source.repo is not None  # noqa: S101 - sources.py has looked; mypy cannot know
        if not depth:
            message = f"{source.shown} is imported through more than {_DEEPEST} repositories"
            raise RemoteError(message, "import it from where it was made")
        git = self._clone(source.repo, guarded=guarded)
        try:
            (git.take_named if self._strict else git.take)(commit)
            return _Commit(self, git, (source.repo, commit), guarded=guarded, depth=depth).bring(source.url)
        finally:
            git.close()

    def _tip(self, repo: Repo, *, guarded: bool) -> str:
        if is_commit(repo.rev):
            return repo.rev
        git = self._clone(repo, guarded=guarded)
        try:
            found = git.tip(repo.rev)
            if found:
                return found
            git.take_all()
            return git.resolve(repo.rev)  # the beginning of an id, `v1~2`
        finally:
            git.close()

    def _address(self, repo: Repo) -> str:
        """Give a url, or the absolute path of a repository on this machine."""
        here = self.folder(repo)
        return os.fspath(here) if here else repo.url

    def folder(self, repo: Repo) -> Path | None:
        """Give the folder of a repository on this machine; `None` of any other."""
        local = Path(os.path.normpath(Path(self.root, Path(repo.url).expanduser())))
        return local if "://" not in repo.url and local.is_dir() else None

    def _clone(self, repo: Repo, *, guarded: bool) -> Elsewhere:
        """Open the folder that the repository is fetched into."""
        from runner.git import elsewhere  # noqa: PLC0415 - few projects import from others, and all make this class

        url = self._address(repo)
        environ = self.environ
        if guarded:
            from runner.store.public import public_address  # noqa: PLC0415 - loads an HTTP client

            environ = elsewhere.guarded(url, environ, public_address)
        kind = "guarded" if guarded else "trusted"
        name = hash_bytes(url.encode())
        return elsewhere.Elsewhere(self._scratch / kind / name, url, environ)


class _Commit:
    """A repository at one commit: where it was fetched to, and how far it may lead."""

    def __init__(self, home: Repositories, git: Git, named: tuple[Repo, str], *, guarded: bool, depth: int) -> None:
        self._home = home
        self._git = git
        self._repo, self._commit = named
        self._guarded = guarded
        self._depth = depth
        self._cache = home.cache

    @cached_property
    def _files(self) -> dict[str, None]:
        return dict.fromkeys(self._git.files(self._commit))

    def bring(self, path: str) -> Content:
        """Bring what is at `path` into the cache: an out of DVC, or something in one, or git's files."""
        path = os.path.normpath(path.strip("/") or ".")
        top = self._top(path)
        pipeline = self._pipeline(top) if top is not None else None
        inside = os.path.relpath(path, top or ".")
        produced = pipeline.producer(inside) if pipeline else None
        if pipeline and produced:
            return self._of_dvc(pipeline, *produced, top or "", inside)
        if path in self._files:
            return self._of_git(path)
        members = self._members(path, pipeline, top)
        if not members and not self._is_folder(path):
            message = f"{path} is not in {self._repo.url} at {self._commit[:12]}"
            raise ObjectMissing(message, "check the path and the revision")
        tree = Tree.of((relpath, content.hash.value) for relpath, content in members.items())
        return Content(
            self._cache.take_listing(tree), sum(content.size or 0 for content in members.values()), len(tree)
        )

    @cached_property
    def _tops(self) -> tuple[str, ...]:
        """The folders that are DVC projects; empty for the top of the repository."""
        marks = (file for file in self._files if file == _MARK or file.endswith(f"/{_MARK}"))
        return tuple(file.removesuffix(_MARK).rstrip("/") for file in marks)

    def _top(self, path: str) -> str | None:
        """Find the DVC project that a path belongs to, the innermost."""
        return max((top for top in self._tops if _inside(path, top)), key=len, default=None)

    def _pipeline(self, top: str) -> Pipeline:
        """Read the DVC files of the project at `top`; those of a project inside it are none of its."""
        named = [_relative(file, top) for file in self._own(top) if is_dvc_file(file)]
        seen = dvcignore.found(named, self._ignore(top), lambda folder: _under(top, folder) in self._tops)
        return files.load(seen, lambda name: self._text(_under(top, name)))

    def _ignore(self, top: str) -> dvcignore.Ignore:
        return dvcignore.Ignore(lambda name: self._text(_under(top, name)))

    def _own(self, top: str | None) -> list[str]:
        """Give git's files of a project (`None`: of none), without those of projects inside it."""
        return [file for file in self._files if self._top(posixpath.dirname(file)) == top]

    def _is_folder(self, path: str) -> bool:
        return any(_inside(file, "" if path == "." else path) for file in self._files)

    def _text(self, path: str) -> str | None:
        content = self._git.show(self._commit, path) if path in self._files else None
        return None if content is None else content.decode("utf-8-sig", "replace")

    def _of_git(self, path: str) -> Content:
        content = self._git.show(self._commit, path) or b""
        name, size = self._cache.take(lambda incoming: incoming.write(content))
        return Content(name, size)

    def _members(self, path: str, pipeline: Pipeline | None, top: str | None) -> dict[str, Content]:
        """Give the files of a directory: of every out inside it, and git's, which count before.

        What .dvcignore hides is none of it, nor is a DVC project inside it (DVC's rule).
        """
        folder = "" if path == "." else path
        ignore = self._ignore(top or "")
        own = (file for file in self._own(top) if _inside(file, folder))
        seen = (file for file in own if not _is_unseen(file) and not ignore.hides(_relative(file, top or "")))
        outs = self._outs_inside(pipeline, folder, top) if pipeline and top is not None else {}
        return outs | {_relative(file, folder): self._of_git(file) for file in seen}

    def _outs_inside(self, pipeline: Pipeline, folder: str, top: str) -> dict[str, Content]:
        found: dict[str, Content] = {}
        for stage, out in pipeline.outs_inside(os.path.relpath(folder or ".", top or ".")):
            content = self._of_dvc(pipeline, stage, out, top, out.path)
            place = _relative(_under(top, out.path), folder)
            if content.hash.is_dir:
                for member, name in self._cache.tree(content.hash).members():
                    found[f"{place}/{member}"] = Content(name, self._cache.path(name).stat().st_size)
            else:
                found[place] = content
        return found

    def _of_dvc(self, pipeline: Pipeline, stage: Stage, out: Out, top: str, path: str) -> Content:
        """Bring an out, of which `path` may be a part."""
        entry = pipeline.entries.get(stage.address)
        recorded = entry.out(out.spelled) if entry else None
        if not out.cache and _under(top, path) in self._files:
            return self._of_git(_under(top, path))
        if entry is None or recorded is None or recorded.hash is None:
            message = f"{path} in {self._repo.url} was never made: its stage {stage.address} has no hash of it"
            raise ObjectMissing(message, "run the stage there, and push")
        source = stage.deps[0].source if stage.is_import else None
        if source and source.repo:
            commit = entry.deps[0].hash
            name = self._home.bring(
                source, commit.value if commit else "", guarded=self._guarded, depth=self._depth - 1
            ).hash
        else:
            self._fetch(out, recorded.hash, top)
            name = self._as_md5(recorded.hash)
        return self._part(name, path[len(out.path) + 1 :])

    def _part(self, name: Hash, inside: str) -> Content:
        """Look into an out. That a file is executable is not told: DVC does not import that."""
        found = self._cache.tree(name).lookup(inside) if inside else name
        if found is None:
            message = f"{inside} is not in that directory of {self._repo.url} at {self._commit[:12]}"
            raise ObjectMissing(message, "check the path and the revision")
        if isinstance(found, Tree):
            name = self._cache.take_listing(found)
        elif isinstance(found, Hash):
            name = found
        if not name.is_dir:
            return Content(name, self._cache.path(name).stat().st_size)
        tree = self._cache.tree(name)
        return Content(name, sum(self._cache.path(member).stat().st_size for _, member in tree.members()), len(tree))

    def _as_md5(self, name: Hash) -> Hash:
        """Name what DVC before 3.0 kept by the md5 of its bytes, as DVC does with what it imports."""
        if name.name != LEGACY:
            return name
        if not name.is_dir:
            content = self._cache.read(name)
            return self._cache.take(lambda incoming: incoming.write(content))[0]
        members = self._cache.tree(name).members()
        return self._cache.take_listing(Tree.of((path, self._as_md5(member).value) for path, member in members))

    def _fetch(self, out: Out, name: Hash, top: str) -> None:
        """Fetch an out's objects from the first place that has them."""
        from runner.store import transfer  # noqa: PLC0415 - as `_clone` says

        missing: ObjectMissing | None = None
        for remote in self._remotes(out, top):
            moved = transfer.fetch(remote, self._cache, [name], self._home.jobs)
            if not moved.failed:
                return
            for failure in moved.failed:
                if not isinstance(failure.error, ObjectMissing):
                    raise failure.error
                missing = failure.error
        message = (
            f"{_under(top, out.path)} of {self._repo.url} at {self._commit[:12]} is in no remote of that repository"
        )
        raise ObjectMissing(message, "push it from where it was made: `dvc push`") from missing

    def _remotes(self, out: Out, top: str) -> Iterator[Remote]:
        """Give the places that keep the repository's data: its cache, if it is on this machine, then its remote."""
        if self._guarded:
            message = f"{self._repo.url} is named by this pull request only, so no remote of it is opened"
            raise RemoteError(message, "import it on the target branch first")
        from runner.store.remote import open_remote  # noqa: PLC0415 - most runs open none

        chosen = self._config(top)
        here = self._home.folder(self._repo)
        if here:
            yield open_remote(chosen.cache_dir or os.fspath(here / top / ".dvc/cache"), {}, environ=self._home.environ)
        if out.remote or chosen.default_remote:
            remote = chosen.remote(out.remote)
            own = self._repo.remote if isinstance(self._repo.remote, dict) else {}
            url, options = str(own.get("url") or remote.url), {**remote.options, **own}
            yield open_remote(
                url, {name: options[name] for name in options if name != "url"}, environ=self._home.environ
            )

    def _config(self, top: str) -> Config:
        """Read the repository's configuration, and what the import says that counts before it."""
        from runner.engine import overrides  # noqa: PLC0415 - as `_clone` says

        here = self._home.folder(self._repo)
        folder = os.fspath((here or Path("/")) / top / ".dvc")
        layers = [(".dvc/config", self._text(_under(top, ".dvc/config")) or "", folder)]
        if here:
            own = [here / top / ".dvc" / name for name in ("config", "config.local")]
            layers = [(os.fspath(path), path.read_text(encoding="utf-8"), folder) for path in own if path.exists()]
        return config.parse(
            [*layers, *overrides.layers(self._repo, self._home.root)], self._home.environ.get("HOME", "")
        )


def _under(top: str, path: str) -> str:
    return f"{top}/{path}" if top else path


def _inside(path: str, folder: str) -> bool:
    """Whether a path is a folder or in it; everything is in the repository's top."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _relative(path: str, folder: str) -> str:
    return path[len(folder) + 1 :] if folder else path


def _is_unseen(file: str) -> bool:
    """Whether a file of git's is none of the data: DVC's own, and by its rule all in a folder of such a name."""
    return any(part.endswith(".dvc") or part in {"dvc.yaml", dvcignore.NAME} for part in file.split("/"))
