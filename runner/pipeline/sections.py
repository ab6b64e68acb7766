"""The sections of one dvc.yaml beside its stages: params, metrics, plots, artifacts, datasets.

Checked as written (DVC's rule), then filled in, then checked for what a template may have made of them.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import datasets, shape
from runner.pipeline.declared import Artifact, Dataset, Declared, Plot
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.pipeline.shape import Page, Shape, Where

    Fill = Callable[[Any, Where], Any]

NAMES: Final = frozenset({"params", "metrics", "plots", "artifacts", "datasets"})
_PLOT: Final[Shape] = {
    "x": shape.FIELD,
    "y": shape.FIELDS,
    **dict.fromkeys(("x_label", "y_label", "title", "template"), shape.STRING),
}
_ARTIFACT: Final[Shape] = {
    "path": shape.STRING,
    "type": shape.STRING,
    "desc": shape.STRING,
    "labels": shape.STRINGS,
    "meta": shape.ANYTHING,
}
_PLAIN: Final = "outside stages {} are plain paths; flags, and keys of a file, belong to a stage"


def read(page: Page, document: Any, fill: Fill, root: str) -> Declared:  # noqa: ANN401 - a document is of any shape
    """Read what the dvc.yaml on `page` declares; mistakes are noted there.

    Args:
        page: the dvc.yaml.
        document: what it holds.
        fill: fills in the templates of a value that stands at a place of the document.
        root: absolute path of the repository, for absolute paths.

    """
    if not isinstance(document, dict) or not NAMES & document.keys():
        return Declared()
    sections = _Sections(page, document, fill, root, posixpath.dirname(page.file) or ".")
    return Declared(
        params=tuple(sections.paths("params")),
        metrics=tuple(sections.paths("metrics")),
        plots=tuple(sections.plots()),
        artifacts=tuple(sections.artifacts()),
        datasets={dataset.name: dataset for dataset in sections.datasets()},
    )


@dataclass
class _Sections:
    """One dvc.yaml being read."""

    page: Page
    document: Mapping[str, Any]
    fill: Fill
    root: str
    folder: str

    def _section(self, name: str, kind: type) -> Any:  # noqa: ANN401 - of the kind asked for
        """Give a section; empty where there is none, or it is of the wrong kind, which others have noted."""
        section = self.document.get(name)
        return section if isinstance(section, kind) else kind()

    def _path(self, spelled: str, at: Where) -> str:
        return self.page.path(self.folder, spelled, self.root, at, shows=True)

    def paths(self, name: str) -> Iterator[str]:
        """Yield the files that `params` or `metrics` lists."""
        for number, written in enumerate(self._section(name, list)):
            at = (name, number)
            if isinstance(written, dict):
                message = "expected a string, found a mapping"
                self.page.wrong(at, message, _PLAIN.format(name), kind="wrong-value")
            elif self.page.holds(written, shape.STRING, at):
                path = self.fill(written, at)
                if self.page.holds(path, shape.STRING, at):
                    yield self._path(path, at)

    def plots(self) -> Iterator[Plot]:
        """Yield the plots definitions; of an id that stands there twice the later one, in the place of the first."""
        found: dict[str, tuple[Mapping[str, Any], Where]] = {}
        for number, written in enumerate(self._section("plots", list)):
            at: Where = ("plots", number)
            for name, props in self._definitions(written, at):
                found[name] = (props, at if isinstance(written, str) else (*at, name))
        for name, (props, at) in found.items():
            yield self._plot(name, props, at)

    def _definitions(self, written: Any, at: Where) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - any item
        if not self.page.holds(written, shape.PLOT, at):
            return
        if isinstance(written, str):
            name = self.fill(written, at)
            if self.page.holds(name, shape.STRING, at):
                yield name, {}
            return
        sound = [self._is_definition(name, props, (*at, name)) for name, props in written.items()]
        if all(sound):
            for name, props in self.fill(written, at).items():
                if self._is_definition(name, props, (*at, name), filled=True):
                    yield name, props or {}

    def _is_definition(self, name: object, props: object, at: Where, *, filled: bool = False) -> bool:
        is_name = self.page.holds(name, shape.STRING, at)
        allowed = {key: _PLOT[key] if key in {"x", "y"} or not filled else shape.ANYTHING for key in _PLOT}
        return (props is None or self.page.fits(props, allowed, at)) and is_name

    def _plot(self, name: str, props: Mapping[str, Any], at: Where) -> Plot:
        x, y = props.get("x", ""), props.get("y", ())
        if isinstance(y, dict):
            ys = {self._path(file, (*at, "y", file)): _fields(fields) for file, fields in y.items()}
        else:
            ys = {self._path(name, at): _fields(y)}
        if isinstance(x, dict):
            x = {self._path(file, (*at, "x", file)): field for file, field in x.items()}
        labels = {key: str(props[key]) for key in ("x_label", "y_label", "title", "template") if key in props}
        return Plot(self.page.file, name, ys, x, **labels)

    def artifacts(self) -> Iterator[Artifact]:
        """Yield the artifacts."""
        for written, spec in self._section("artifacts", dict).items():
            at = ("artifacts", written)
            is_name = self.page.holds(written, shape.STRING, at)
            if not (self.page.fits(spec, _ARTIFACT, at, required="path") and is_name):
                continue
            name, filled = self.fill(written, at), self.fill(spec, at)
            if self.page.holds(name, shape.STRING, at) and self.page.holds(filled["path"], shape.STRING, (*at, "path")):
                yield self._artifact(name, filled, at)

    def _artifact(self, name: str, spec: Mapping[str, Any], at: Where) -> Artifact:
        return Artifact(
            file=self.page.file,
            name=name,
            path=self._path(spec["path"], (*at, "path")),
            type=str(spec.get("type", "")),
            desc=str(spec.get("desc", "")),
            labels=tuple(map(str, spec.get("labels", ()))),
            meta=spec.get("meta"),
        )

    def datasets(self) -> Iterator[Dataset]:
        """Yield the datasets, without what is recorded of them."""
        for number, written in enumerate(self._section("datasets", list)):
            at = ("datasets", number)
            if spec := datasets.spec(self.page, self.fill(written, at), at):
                yield Dataset(self.page.file, spec["name"], spec)


def _fields(fields: str | list[str] | tuple[()]) -> tuple[str, ...]:
    return (fields,) if isinstance(fields, str) else tuple(fields)
