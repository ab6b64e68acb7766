"""One dvc.yaml to stages: checked as written, its templates filled in, and what they give checked again."""

from __future__ import annotations

import posixpath
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from runner.errors import Location
from runner.pipeline import shape, spellings, stage_shape
from runner.pipeline.addresses import JOIN, PARAMS_FILE, address
from runner.pipeline.context import Context, Sources
from runner.pipeline.model import Dep, Out, Param, Stage
from runner.pipeline.source import DATASET, Source
from runner.pipeline.template import Definition, Template
from runner.pipeline.unpack import Unpacking
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.pipeline.shape import Page, Where
_BREAK: Final = regex(r"\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line to YAML, by which the places in a file are counted."""
_MAKING: Final = frozenset({"foreach", "matrix"})


@dataclass
class ProjectFile:
    """One dvc.yaml being read.

    Attributes:
        page: takes its mistakes.
        document: what it holds.
        spans: the lines of each stage.
        sources: the files that variables come from.
        root: the repository's absolute path.
        unpacking: how mappings become options of a command.
        definitions: by name, the stages as filled in.
        groups: names of what `foreach` and `matrix` stand in.

    """

    page: Page
    document: Any
    spans: Mapping[str, tuple[int, int]]
    sources: Sources
    root: str = ""
    unpacking: Unpacking = field(default_factory=Unpacking)
    definitions: dict[str, Definition] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Look at the file once for all its stages."""
        self._folder = posixpath.dirname(self.page.file) or "."
        # A backslash in quotes may write an expression otherwise than as it is.
        self._templated = "${" in self.page.text or "\\" in self.page.text

    @cached_property
    def _lines(self) -> list[str]:
        return _BREAK.split(self.page.text)

    @cached_property
    def template(self) -> Template:
        """What fills in its values, with its variables; their files are read when it is first asked for."""
        written = self.document.get("vars") if isinstance(self.document, dict) else None
        entries = written if isinstance(written, list) and stage_shape.are_vars(self.page, written, ("vars",)) else []
        context = Context(self.page, self.root, self.sources)
        return Template(self.page, context, context.of_file(entries, self._folder), self.unpacking, self._folder)

    def stages(self) -> Iterator[Stage]:
        """Yield the stages that can be read; the mistakes of the others are on the page."""
        if not self.page.holds(self.document, shape.MAPPING, ()):
            return
        self.page.fits(self.document, stage_shape.TOP, ())
        _ = self.template  # what it reads is refused whether or not a value uses it (DVC's rule)
        stages = self.document.get("stages", {})
        for name, spec in stages.items() if isinstance(stages, dict) else ():
            if self._is_name(name, spec):
                if isinstance(spec, dict) and spec.keys() & _MAKING:
                    self.groups.append(name)
                where = self._where(name)
                before = len(self.page.mistakes)
                definitions = self._definitions(name, spec)
                is_sound = len(self.page.mistakes) == before
                for definition in definitions:
                    self.definitions[definition.name] = definition
                    if is_sound or not definition.is_filled:
                        yield self._stage(definition, where)

    def _is_name(self, name: object, spec: object) -> bool:
        at: Where = ("stages", name)  # type: ignore[assignment]  # a wrong key is shown all the same
        if not isinstance(name, str) or not name:
            self.page.wrong(at, f"{name!r} cannot name a stage", "a name is a string that is not empty")
            return False
        if JOIN in name and not (isinstance(spec, dict) and spec.keys() & _MAKING):
            hint = "DVC keeps @ for stages made by foreach and matrix"
            self.page.wrong(at, f"the stage name {name!r} holds an @", hint)
            return False
        return True

    def _definitions(self, name: str, spec: Any) -> Iterable[Definition]:  # noqa: ANN401 - a document is of any shape
        """Give the stage of that name, or those of the group."""
        at: Where = ("stages", name)
        if isinstance(spec, dict) and spec.keys() & {"foreach", "do"}:
            return self._foreach(name, spec, at)
        if not self._templated and not (isinstance(spec, dict) and spec.keys() & {"vars", "matrix"}):
            self.page.fits(spec, stage_shape.STAGE, at, required="cmd")
            return [Definition(name, shape.sound(spec, stage_shape.STAGE), at)] if isinstance(spec, dict) else []
        sound = stage_shape.checked(self.page, spec, at)
        if isinstance(spec, dict) and "matrix" in spec:
            return self.template.matrix(name, sound, at) if "matrix" in sound else []
        return self.template.stage(name, sound, at)

    def _foreach(self, name: str, spec: dict[str, Any], at: Where) -> Iterable[Definition]:
        self.page.fits(spec, stage_shape.FOREACH, at, required="do")
        if "foreach" not in spec:
            self.page.wrong(at, "'foreach' is missing", "it is required beside 'do'", kind="missing-key")
        do = spec.get("do")
        if not isinstance(do, dict):
            return []
        if "foreach" in do:
            self.page.wrong((*at, "do", "foreach"), "foreach cannot stand inside do", "use matrix for combinations")
            return []
        sound = stage_shape.checked(self.page, do, (*at, "do"))
        is_sound = "foreach" in shape.sound(spec, stage_shape.FOREACH)
        return self.template.foreach(name, spec["foreach"], sound, at) if is_sound else []

    def _stage(self, definition: Definition, where: Location) -> Stage:
        name, at = definition.name, definition.at
        spec = definition.spec
        if definition.is_filled:
            self.page.fits(spec, stage_shape.FILLED, at, hint=stage_shape.TYPED)
            spec = shape.sound(spec, stage_shape.FILLED)
        cmd = spec.get("cmd", "")
        wdir = self._wdir(spec, at)
        return Stage(
            address=address(self.page.file, name),
            file=self.page.file,
            name=name,
            cmd=tuple(cmd) if isinstance(cmd, list) else cmd,
            wdir=wdir,
            deps=self._deps(wdir, spec.get("deps", ()), (*at, "deps")),
            params=self._params(wdir, spec.get("params", ()), (*at, "params")),
            outs=tuple(
                out
                for section in stage_shape.OUT_SECTIONS
                if section in spec
                for out in self._outs(wdir, section, spec[section], definition)
            ),
            frozen=spec.get("frozen", False),
            always_changed=spec.get("always_changed", False),
            desc=str(spec.get("desc") or ""),
            meta=spec.get("meta"),
            used=definition.used,
            where=where,
        )

    def _where(self, name: str) -> Location:
        """Where the stage begins, from the spans: 1,000 look-ups one by one would be slow."""
        if name not in self.spans:
            return Location(self.page.file)
        line = self._lines[self.spans[name][0]]
        return Location(self.page.file, self.spans[name][0] + 1, len(line) - len(line.lstrip()) + 1)

    def _wdir(self, spec: Mapping[str, Any], at: Where) -> str:
        wdir = shape.relative(self._folder, spec.get("wdir") or ".", self.root)
        if wdir.startswith(("/", "../")) or wdir == "..":
            self.page.wrong(
                (*at, "wdir"), f"the wdir {spec['wdir']!r} is outside the repository", kind="outside-repository"
            )
        return wdir

    def _deps(self, wdir: str, deps: Sequence[str], at: Where) -> tuple[Dep, ...]:
        return tuple(
            self._dep(wdir, spelled, (*at, number))
            for number, spelled in enumerate(deps)
            if self._is_had(spelled, (*at, number)) and not self._is_param(spelled, (*at, number))
        )

    def _dep(self, wdir: str, spelled: str, at: Where) -> Dep:
        if shape.URL.match(spelled):
            return Dep(spelled, spelled, Source(spelled))
        return Dep(self.page.path(wdir, spelled, self.root, at), shape.as_recorded(wdir, spelled, self.root))

    def _is_had(self, spelled: str, at: Where) -> bool:
        """Whether a dep can be had: a path, a url, or a dataset that has a name."""
        if spelled == DATASET:
            self.page.wrong(at, f"{spelled!r} names no dataset", "write the name of one behind it")
        return spelled != DATASET

    def _is_param(self, spelled: str, at: Where) -> bool:
        """Whether a dep, or a key of params.yaml, is meant to be a key of a params file: noted as a mistake."""
        right = spellings.of_param(spelled, PARAMS_FILE)
        if right:
            self.page.wrong(at, f"{spelled!r} names a file and a key of it", right, kind="wrong-value")
        return bool(right)

    def _is_local(self, spelled: str, at: Where) -> bool:
        if not shape.URL.match(spelled):
            return True
        self.page.wrong(at, f"the URL {spelled!r} cannot be an out", "use a file of the repository")
        return False

    def _params(self, wdir: str, params: Sequence[Any], at: Where) -> tuple[Param, ...]:
        """Merge what is said of each params file; one tracked wholly loses its keys (DVC's rule).

        DVC records a params file by its path from wdir, not as written, and then never finds `./params.yaml`
        again. Read by that path from the start, every spelling is found.
        """
        keys: dict[str, list[str]] = {}
        whole = set()
        for file, wanted in self._wanted(params, at):
            path = self.page.path(wdir, file, self.root, at)
            keys.setdefault(path, []).extend(wanted or ())
            whole |= {path} if not wanted else set()
        return tuple(
            Param(path, shape.relative_to(wdir, path), () if path in whole else tuple(dict.fromkeys(names)))
            for path, names in keys.items()
        )

    def _wanted(self, params: Sequence[Any], at: Where) -> Iterator[tuple[str, list[str] | None]]:
        for number, written in enumerate(params):
            if isinstance(written, str):
                if not self._is_param(written, (*at, number)):
                    yield PARAMS_FILE, [written]
            elif self.page.holds(written, shape.MAPPING, (*at, number)):
                for file, wanted in written.items():
                    place = (*at, number, file)
                    if self.page.holds(file, shape.STRING, place) and self._is_keys(wanted, place):
                        yield file, wanted

    def _is_keys(self, wanted: object, at: Where) -> bool:
        if isinstance(wanted, str):
            self.page.wrong(at, f"expected a list of keys, found {wanted!r}", f"write [{wanted}]")
            return False
        return wanted is None or self.page.holds(wanted, shape.STRINGS, at)

    def _outs(self, wdir: str, section: str, written: Sequence[Any], definition: Definition) -> Iterator[Out]:
        """Yield the outs of a section; one path named twice there is one out, its flags united."""
        known = (stage_shape.FILLED_SECTIONS if definition.is_filled else stage_shape.OUT_SECTIONS)[section]
        flags: dict[str, dict[str, Any]] = {}
        places: dict[str, Where] = {}
        for spelled, given, place in stage_shape.flagged(self.page, known, written, (*definition.at, section)):
            flags.setdefault(spelled, {}).update(given)
            places.setdefault(spelled, place)
        for spelled, united in flags.items():
            if self._is_local(spelled, places[spelled]):
                yield Out(
                    path=self.page.path(wdir, spelled, self.root, places[spelled], writes=True),
                    spelled=shape.as_recorded(wdir, spelled, self.root),
                    metric=section == "metrics",
                    plot=section == "plots",
                    style=_style(united) if section == "plots" else (),
                    **{flag: united[flag] for flag in ("cache", "persist", "push", "remote") if flag in united},
                )


def _style(flags: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Give what a plot's flags say of how it is drawn."""
    return tuple((flag, str(flags[flag])) for flag in stage_shape.STYLE if flag in flags)
