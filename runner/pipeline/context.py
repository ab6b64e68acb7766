"""Where the variables of templates come from: params.yaml beside the dvc.yaml, and the entries of `vars`. DVC's rules.

Files are read through the function that reads the DVC files, so a commit's templates see that commit's values.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, Location
from runner.pipeline import documents, params, shape, yaml12
from runner.pipeline.addresses import PARAMS_FILE
from runner.pipeline.expressions import is_interpolated
from runner.pipeline.variables import Redefined, Scope, Unsupported, Variable, merge, source_of, supported
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runner.errors import RunnerError
    from runner.pipeline.shape import Page, Where
    from runner.pipeline.variables import Node


@dataclass
class Sources:
    """The files that variables come from, each read once.

    Attributes:
        read: gives a file's text, or `None` where there is none.
        errors: what is wrong in those files.

    """

    read: Callable[[str], str | None]
    errors: list[RunnerError] = field(default_factory=list)
    _known: dict[tuple[str, tuple[str, ...] | None], dict[str, Any] | ConfigError | None] = field(default_factory=dict)

    def document(self, path: str) -> dict[str, Any] | None:
        """Give what a file holds; `None` where there is none.

        Raises:
            ConfigError: it cannot be used; kept in `errors` too, once.

        """
        return self._once(path, None, lambda: self._parsed(path))

    def values(self, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """Give what some keys of a file hold, or all where none is named, as templates see it.

        Raises:
            ConfigError: something in them cannot be a variable; kept in `errors` too, once.

        """
        return self._once(path, keys, lambda: self._chosen(path, keys)) or {}

    def _once(
        self, path: str, keys: tuple[str, ...] | None, find: Callable[[], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        if (path, keys) not in self._known:
            try:
                self._known[path, keys] = find()
            except ConfigError as error:
                told = {str(known) for known in self.errors}
                self.errors += [problem for problem in error.problems if str(problem) not in told]
                self._known[path, keys] = error
        found = self._known[path, keys]
        if isinstance(found, ConfigError):
            raise found
        return found

    def _parsed(self, path: str) -> dict[str, Any] | None:
        text = self.read(path)
        document = {} if text is None else params.parse(path, text)
        if isinstance(document, dict):
            return None if text is None else document
        message = f"a file that variables come from must hold a mapping, this is {shape.naming(document)}"
        raise ConfigError(message, "give each value a name", Location(path, 1, 1))

    def _chosen(self, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
        document = self.document(path) or {}
        try:
            return supported({key: document[key] for key in keys} if keys else document)  # type: ignore[no-any-return]  # a mapping gives a mapping
        except Unsupported as error:
            raise ConfigError(error.message, error.hint, self._place(path, error.keys)) from error

    def _place(self, path: str, keys: Where) -> Location:
        if documents.suffix(path) in {".py", ".toml"}:
            return Location(path)
        return Location(path, *yaml12.locate(self.read(path) or "", *keys))


@dataclass(frozen=True)
class Context:
    """Reads the variables of one dvc.yaml; mistakes go to its page.

    Attributes:
        page: the dvc.yaml.
        root: the repository's absolute path.
        sources: the files that variables come from.

    """

    page: Page
    root: str
    sources: Sources

    def of_file(self, entries: Sequence[Any], folder: str) -> Scope | None:
        """Give what all expressions of the dvc.yaml see; `None` where that cannot be told.

        Args:
            entries: its `vars`, checked.
            folder: where it lies; params.yaml there is always read.

        """
        beside = shape.relative(folder, PARAMS_FILE, self.root)
        scope: Scope | None = Scope()
        try:
            if self.sources.document(beside) is not None:
                scope = Scope(_entries(self.sources.values(beside, ()), beside), {beside: None})
        except ConfigError:
            scope = None
        return self._extended(scope, entries, folder, ("vars",), "")

    def of_stage(self, scope: Scope, entries: Sequence[Any], wdir: str, at: Where, name: str) -> Scope | None:
        """Give what a stage with `vars` of its own sees; `None` where that cannot be told.

        Args:
            scope: what it sees without them.
            entries: its `vars`, checked.
            wdir: its working directory, where its files start from.
            at: place of its `vars`.
            name: the stage.

        """
        return self._extended(scope, entries, wdir, at, f"{name}.")

    def _extended(
        self, scope: Scope | None, entries: Sequence[Any], folder: str, at: Where, owner: str
    ) -> Scope | None:
        """Add the entries one by one, all of them even after a mistake."""
        known = scope or Scope()
        sound = scope is not None
        for number, entry in enumerate(entries):
            place = (*at, number)
            if interpolated := list(_interpolated(entry, place)):
                for where in interpolated:
                    self.page.wrong(where, "vars may not hold ${...}", "write the value out")
                sound = False
                continue
            if isinstance(entry, str):
                added = self._from_file(known, entry, folder, place)
            else:
                added = self._inline(known, entry, f"{owner}vars[{number}]", place)
            sound = sound and added is not None
            known = added or known
        return known if sound else None

    def _inline(self, scope: Scope, entry: dict[Any, Any], source: str, at: Where) -> Scope | None:
        try:
            found = supported(entry)
        except Unsupported as error:
            self.page.wrong((*at, *error.keys), error.message, error.hint)
            return None
        return self._joined(scope, {key: Variable(value, source, key) for key, value in found.items()}, at)

    def _from_file(self, scope: Scope, entry: str, folder: str, at: Where) -> Scope | None:
        spelled, _, wanted = entry.partition(":")
        keys = tuple(filter(None, wanted.split(",")))
        path = shape.relative(folder, spelled, self.root)
        if path.startswith(("/", "../")) or path == "..":
            self.page.wrong(at, f"{spelled!r} is outside the repository", "only files inside it are supported")
            return None
        if path in scope.loaded and not keys and scope.loaded[path] is None:
            return scope
        if why := _twice(scope.loaded, path, keys):
            self.page.wrong(at, f"{entry!r} cannot be read: {why}", "read each value once")
            return None
        found = self._chosen(path, keys, spelled, folder, at)
        joined = None if found is None else self._joined(scope, found, at)
        loaded = (*(scope.loaded.get(path) or ()), *keys) or None
        return joined and replace(joined, loaded={**scope.loaded, path: loaded})

    def _chosen(self, path: str, keys: tuple[str, ...], spelled: str, folder: str, at: Where) -> dict[str, Node] | None:
        """Give the variables of a file; `None` where they cannot be had, which is noted."""
        try:
            document = self.sources.document(path)
            if document is None:
                start = "the stage's wdir" if at[0] == "stages" else "the folder of dvc.yaml"
                self.page.wrong(at, f"there is no file {path!r}", f"{spelled!r} starts from {start} ({folder})")
                return None
            if gone := next((key for key in keys if key not in document), None):
                hint = shape.nearest(gone, document) + ("; only top-level keys can be named" if "." in gone else "")
                self.page.wrong(at, f"there is no key {gone!r} in {path}", hint)
                return None
            return _entries(self.sources.values(path, keys), path)
        except ConfigError:
            return None

    def _joined(self, scope: Scope, new: Mapping[str, Node], at: Where) -> Scope | None:
        for name in scope.items:
            if name in new:
                self.page.wrong((*at, name), f"{name!r} is set by foreach or matrix", "give the variable another name")
                return None
        try:
            return replace(scope, variables=merge(scope.variables, new))
        except Redefined as error:
            name, first = ".".join(error.keys), source_of(error.old)
            message = f"the variable {name!r} of {source_of(error.new)} is defined already, in {first}"
            self.page.wrong((*at, *error.keys), message, "rename one of them, or leave one out")
            return None


def _entries(document: Mapping[str, Any], path: str) -> dict[str, Node]:
    return {key: Variable(value, path, key, in_file=True) for key, value in document.items()}


def _twice(loaded: Mapping[str, tuple[str, ...] | None], path: str, keys: Sequence[str]) -> str:
    """Say why a file may not be read (again); empty where it may."""
    if path not in loaded:
        return ""
    before = loaded[path]
    if before is None:
        return f"all of {path} is read already"
    if not keys:
        return f"parts of {path} are read already"
    again = [key for key in keys if key in before]
    return f"{again[0]!r} of {path} is read already" if again else ""


def _interpolated(value: object, at: Where) -> Iterator[Where]:
    """Yield the places of every text with an expression, keys included."""
    if isinstance(value, str):
        if is_interpolated(value):
            yield at
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _interpolated(key, (*at, key))
            yield from _interpolated(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _interpolated(inner, (*at, number))
