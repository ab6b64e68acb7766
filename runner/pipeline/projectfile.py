"""One dvc.yaml to stages. Templating, foreach and matrix are refused by name until `template` reads them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runner.errors import Location
from runner.pipeline import lock, shape
from runner.pipeline.model import Dep, Out, Param, Stage, address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.pipeline.shape import Page, Shape, Where

_TOP: Final[Shape] = {
    "stages": shape.MAPPING,
    "vars": shape.LIST,
    "params": shape.STRINGS,
    "metrics": shape.STRINGS,
    "plots": shape.LIST,
    "artifacts": shape.MAPPING,
    "datasets": shape.ANYTHING,
}
_STAGE: Final[Shape] = {
    "cmd": shape.COMMAND,
    "wdir": shape.STRING,
    "deps": shape.STRINGS,
    "params": shape.LIST,
    "outs": shape.LIST,
    "metrics": shape.LIST,
    "plots": shape.LIST,
    "frozen": shape.BOOL,
    "always_changed": shape.BOOL,
    "desc": shape.STRING,
    "meta": shape.ANYTHING,
    "vars": shape.LIST,
    "matrix": shape.MAPPING,
}
_FLAGS: Final[Shape] = {
    "cache": shape.BOOL,
    "persist": shape.BOOL,
    "checkpoint": shape.BOOL,
    "remote": shape.STRING,
    "push": shape.BOOL,
    "desc": shape.STRING,
    "type": shape.STRING,
    "labels": shape.STRINGS,
    "meta": shape.ANYTHING,
}
_PLOT_FLAGS: Final[Shape] = {
    **_FLAGS,
    **dict.fromkeys(("template", "x", "y", "x_label", "y_label", "title"), shape.STRING),
    "header": shape.BOOL,
}
_OUT_SECTIONS: Final = {"outs": _FLAGS, "metrics": _FLAGS, "plots": _PLOT_FLAGS}
_NOT_YET: Final = ("foreach", "do", "matrix", "vars")
_NOT_YET_HINT: Final = "write the stages out one by one for now"


@dataclass
class ProjectFile:
    """One dvc.yaml being read."""

    page: Page
    root: str
    spans: Mapping[str, tuple[int, int]]

    def __post_init__(self) -> None:
        """Look at the file once for all its stages."""
        self._folder = posixpath.dirname(self.page.file) or "."
        self._lines = self.page.text.split("\n")
        self._templated = "${" in self.page.text

    def stages(self, document: object) -> Iterator[Stage]:
        """Yield the stages that can be read; the mistakes of the others are on the page."""
        if not self.page.holds(document, shape.MAPPING, ()):
            return
        assert isinstance(document, dict)  # noqa: S101 - holds() has just said so; mypy cannot know
        self.page.fits(document, _TOP, ())
        if document.get("vars"):
            self.page.wrong(("vars",), "vars are not supported yet", "write the values out for now")
        stages = document.get("stages", {})
        for name, spec in stages.items() if isinstance(stages, dict) else ():
            if self._may_be_read(name, spec):
                yield self._stage(name, shape.sound(spec, _STAGE))

    def _may_be_read(self, name: object, spec: object) -> bool:
        at: Where = ("stages", name)  # type: ignore[assignment]  # a wrong key is shown all the same
        if not isinstance(name, str) or not name:
            self.page.wrong(at, f"{name!r} cannot name a stage", "a name is a string that is not empty")
            return False
        if isinstance(spec, dict) and any(word in spec for word in _NOT_YET):
            word = next(word for word in _NOT_YET if word in spec)
            self.page.wrong((*at, word), f"{word} is not supported yet", _NOT_YET_HINT)
            return False
        if "@" in name:
            self.page.wrong(
                at, f"the stage name {name!r} holds an @", "DVC keeps @ for stages made by foreach and matrix"
            )
            return False
        self.page.fits(spec, _STAGE, at, required="cmd")
        return isinstance(spec, dict) and not self._is_templated(spec, at)

    def _is_templated(self, spec: object, at: Where) -> bool:
        places = list(_expressions(spec, at)) if self._templated else []
        for place in places:
            self.page.wrong(place, "${...} is not supported yet", "write the value out for now")
        return bool(places)

    def _stage(self, name: str, spec: Mapping[str, Any]) -> Stage:
        at: Where = ("stages", name)
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
                out for section in _OUT_SECTIONS if section in spec for out in self._outs(wdir, section, spec, at)
            ),
            frozen=spec.get("frozen", False),
            always_changed=spec.get("always_changed", False),
            desc=spec.get("desc", ""),
            meta=spec.get("meta"),
            where=self._where(name),
        )

    def _where(self, name: str) -> Location:
        """Where the stage begins, from the spans: 1,000 look-ups one by one would be slow."""
        if name not in self.spans:
            return Location(self.page.file)
        line = self._lines[self.spans[name][0]]
        return Location(self.page.file, self.spans[name][0] + 1, len(line) - len(line.lstrip()) + 1)

    def _wdir(self, spec: Mapping[str, Any], at: Where) -> str:
        wdir = shape.relative(self._folder, spec.get("wdir", "."), self.root)
        if wdir.startswith(("/", "../")) or wdir == "..":
            self.page.wrong(
                (*at, "wdir"), f"the wdir {spec['wdir']!r} is outside the repository", kind="outside-repository"
            )
        return wdir

    def _deps(self, wdir: str, deps: Sequence[str], at: Where) -> tuple[Dep, ...]:
        return tuple(
            Dep(self.page.path(wdir, spelled, self.root, (*at, number)), shape.as_recorded(wdir, spelled, self.root))
            for number, spelled in enumerate(deps)
            if self._is_local(spelled, (*at, number))
        )

    def _is_local(self, spelled: str, at: Where) -> bool:
        if not shape.URL.match(spelled):
            return True
        self.page.wrong(
            at, f"the URL {spelled!r} is not supported yet as a dep or an out", "use a file of the repository"
        )
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
                yield lock.PARAMS_FILE, [written]
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

    def _outs(self, wdir: str, section: str, spec: Mapping[str, Any], top: Where) -> Iterator[Out]:
        """Yield the outs of a section; one path named twice there is one out, its flags united."""
        flags: dict[str, dict[str, Any]] = {}
        places: dict[str, Where] = {}
        for spelled, given, place in self._flagged(section, spec[section], (*top, section)):
            flags.setdefault(spelled, {}).update(given)
            places.setdefault(spelled, place)
        for spelled, united in flags.items():
            if self._is_local(spelled, places[spelled]):
                yield Out(
                    path=self.page.path(wdir, spelled, self.root, places[spelled], writes=True),
                    spelled=shape.as_recorded(wdir, spelled, self.root),
                    metric=section == "metrics",
                    plot=section == "plots",
                    **{flag: united[flag] for flag in ("cache", "persist", "push", "remote") if flag in united},
                )

    def _flagged(self, section: str, outs: Sequence[Any], at: Where) -> Iterator[tuple[str, dict[str, Any], Where]]:
        for number, written in enumerate(outs):
            if isinstance(written, str):
                yield written, {}, (*at, number)
            elif self.page.holds(written, shape.MAPPING, (*at, number)):
                for spelled, flags in written.items():
                    place = (*at, number, spelled)
                    is_path = self.page.holds(spelled, shape.STRING, place)
                    if self.page.fits(flags, _OUT_SECTIONS[section], place) and is_path:
                        yield spelled, flags, place


def _expressions(value: object, at: Where) -> Iterator[Where]:
    """Yield the places of every `${` in the values and nested keys of a stage."""
    if isinstance(value, str) and "${" in value:
        yield at
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _expressions(key, (*at, key))
            yield from _expressions(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _expressions(inner, (*at, number))
