"""Rules about params: those that scripts read unannounced, those that are not there, those that DVC does not count."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location, spelled_like
from runner.pipeline import params
from runner.pipeline.lint import catalogue, errors, reading, shell
from runner.pipeline.lint.finding import Finding
from runner.pipeline.lint.modules import imported
from runner.pipeline.lint.scripts import Script
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.pipeline.lint.material import Material
    from runner.pipeline.lint.values import Use, Value
    from runner.pipeline.model import Param, Stage

_EXPRESSION: Final = regex(r"\$\{([^}]+)\}")
_UNCOUNTED: Final = frozenset({"size", "nfiles"})
_MISSING: Final = object()


def undeclared(material: Material) -> Iterator[Finding]:
    """Yield params that a stage's own script reads and the stage does not declare; of other deps, those no stage does.

    A module that many stages share may hold functions that only some of them call: there a param counts as declared
    as soon as any stage declares it.
    """
    usual = (posixpath.join(posixpath.dirname(file), "params.yaml") for file in material.projects)
    declared = _Declared(
        material,
        {file: _expressions(material.read(file) or "") for file in material.projects},
        frozenset((*usual, *(param.path for stage in material.stages for param in stage.params))),
    )
    read: dict[Script, tuple[Use, ...]] = {}
    for stage in material.stages:
        if stage.frozen or stage.always_changed:
            continue
        own = material.scripts(stage)
        paths = {script.path for script in own}
        others = [Script(dep.path, dep.path, (stage.wdir,)) for dep in stage.deps if dep.path not in paths]
        for source in (source for source in (*own, *others) if source.path.endswith(".py")):
            if source not in read:
                read[source] = _uses(material, source)
            witnesses = (stage,) if source.path in paths else material.stages
            yield from declared.of_source(stage, source.path, read[source], witnesses)


def _uses(material: Material, source: Script) -> tuple[Use, ...]:
    """Give what a script reads; a loader that it imports from the repository is looked into."""
    text = material.read(source.path) or ""
    given: dict[str, frozenset[Value]] = {}
    for name in imported(text, source.roots, material.exists):
        if name.name and name.path != source.path:
            found = reading.gives(material.read(name.path) or "").get(name.name)
            given |= {name.known_as: found} if found else {}
    return reading.uses(text, given)


@dataclass(frozen=True)
class _Declared:
    """What makes stages stale.

    Attributes:
        material: the project.
        expressions: what the `${...}` of each dvc.yaml name: such a value is part of a command or a path.
        files: the params files that there may be.

    """

    material: Material
    expressions: Mapping[str, frozenset[tuple[str, ...]]]
    files: frozenset[str]

    def of_source(
        self, stage: Stage, source: str, uses: Sequence[Use], witnesses: Sequence[Stage]
    ) -> Iterator[Finding]:
        """Yield what a source reads and none of the witnesses depends on; one finding a params file."""
        lines: dict[str, dict[str, int]] = {}
        for use in uses:
            for file in self._files(stage, use):
                for keys in _leaves(self.material.document(file), use):
                    if not any(self._depends(one, file, keys) for one in witnesses):
                        lines.setdefault(file, {}).setdefault(".".join(keys), use.line)
        for file, found in lines.items():
            (first, line), *rest = found.items()
            others = f" and {', '.join(key for key, _ in rest)}" if rest else ""
            message = f"{source}:{line} reads {first}{others} of {file}, which {stage.name!r} does not declare"
            hint = f"add {_as_declared(stage, file, list(found))} to its params, or a change goes unnoticed"
            yield self.material.finding(catalogue.UNDECLARED, stage, message, hint, ("params", ""))

    def _files(self, stage: Stage, use: Use) -> tuple[str, ...]:
        """Give the params files that a source may mean: the one it names, or those that the command names."""
        if use.file:
            words = [use.file]
        else:
            words = [word.rpartition("=")[2] for simple in self.material.commands(stage) for word in simple.words]
        named = [posixpath.normpath(posixpath.join(stage.wdir, word)) for word in words if shell.is_fixed(word)]
        return tuple(dict.fromkeys(path for path in named if path in self.files))

    def _depends(self, stage: Stage, file: str, keys: tuple[str, ...]) -> bool:
        """Whether a change of the value makes the stage stale: by a param, by the file as a dep, or by its text."""
        if self.material.is_covered(stage, file):
            return True
        if any(param.path == file and _declares(param, keys) for param in stage.params):
            return True
        if self._is_a_path_of(stage, params.lookup(self.material.document(file), ".".join(keys))):
            return True
        return any(named == keys[: len(named)] for named in self.expressions.get(stage.file, ()))

    def _is_a_path_of(self, stage: Stage, value: object) -> bool:
        """Whether the value is a path that the stage names already: to change it there changes the stage."""
        if not isinstance(value, str):
            return False
        path = posixpath.normpath(posixpath.join(stage.wdir, value))
        named = (*(dep.path for dep in stage.deps), *(out.path for out in stage.outs))
        return any(path == one or one.startswith(f"{path}/") or path.startswith(f"{one}/") for one in named)


def _as_declared(stage: Stage, file: str, keys: Sequence[str]) -> str:
    spelled = posixpath.relpath(file, stage.wdir)
    return ", ".join(keys) if spelled == "params.yaml" else f"{{{spelled}: [{', '.join(keys)}]}}"


def _leaves(document: Any, use: Use) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - a document is of any shape
    """Yield the keys of single values that are read; what is only passed on as a whole is not looked into."""
    value = document
    for key in use.keys:
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    if value is _MISSING or any("." in key for key in use.keys):
        return
    if not isinstance(value, dict):
        yield use.keys
    elif use.unpacked:
        yield from ((*use.keys, str(key)) for key in value)


def _declares(param: Param, keys: tuple[str, ...]) -> bool:
    """Whether the declared keys hold the value, or part of it."""
    for key in param.keys:
        segments = key.split(".")
        if all(fnmatchcase(ours, theirs) or theirs == "**" for ours, theirs in zip(keys, segments, strict=False)):
            return True
    return not param.keys


def _expressions(text: str) -> frozenset[tuple[str, ...]]:
    found = (expression.strip().rstrip("]") for expression in _EXPRESSION.findall(text))
    return frozenset(tuple(re.split(r"[.\[\]]+", expression)) for expression in found)


def absent(material: Material) -> Iterator[Finding]:
    """Yield declared params that their file does not have, and params files that are not there or cannot be read."""
    for stage in material.stages:
        for param in stage.params:
            if material.pipeline.producer(param.path) is None:
                yield from _absent(material, stage, param)
    for path, error in material.unread.items():
        yield Finding(errors.RULES[error.kind], error.where or Location(path), error.message, error.hint)


def _absent(material: Material, stage: Stage, param: Param) -> Iterator[Finding]:
    at = ("params", param.spelled)
    if material.read(param.path) is None:
        message = f"there is no params file {param.path}"
        hint = "DVC looks for it in the stage's wdir; commit it, or correct the name"
        yield material.finding(catalogue.NO_PARAM, stage, message, hint, at)
        return
    document = material.document(param.path)
    if document is None:
        return
    try:
        missing = params.missing(param, params.read(param, document))
    except ConfigError as error:
        yield material.finding(catalogue.REFUSED, stage, error.message, error.hint, at)
        return
    for key in missing:
        hint = _nearest(key, document)
        yield material.finding(catalogue.NO_PARAM, stage, f"{param.path} has no {key}", hint, ("params", key))


def _nearest(key: str, document: object) -> str:
    near = spelled_like(key, list(_dotted(document, "")))
    return f"did you mean {near[0]}?" if near else "add it, or remove it from the stage's params: DVC refuses to run"


def _dotted(document: object, prefix: str) -> Iterator[str]:
    for key, value in document.items() if isinstance(document, dict) else ():
        yield f"{prefix}{key}"
        yield from _dotted(value, f"{prefix}{key}.")


def uncounted(material: Material) -> Iterator[Finding]:
    """Yield params whose change DVC's run cache does not see: named so themselves, or a mapping with such a key."""
    for stage in material.stages:
        for param in stage.params:
            for key in param.keys:
                if key in _UNCOUNTED or _holds_uncounted(material, param, key):
                    message = f"DVC's run cache leaves out keys named size and nfiles, and so a change in {key}"
                    hint = "rename the key; otherwise DVC may bring back the out of an old value"
                    yield material.finding(catalogue.UNCOUNTED, stage, message, hint, ("params", key))


def _holds_uncounted(material: Material, param: Param, key: str) -> bool:
    try:
        value = params.lookup(material.document(param.path), key)
    except ConfigError:
        return False
    return any(_UNCOUNTED.intersection(name.split(".")) for name in _dotted(value, ""))
