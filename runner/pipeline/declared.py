"""What dvc.yaml files declare beside their stages. Pure values; paths are repository-relative."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Plot:
    """A plots definition.

    Attributes:
        file: its dvc.yaml.
        id: as written: a path, or a name where `y` says by itself what it draws.
        y: file or directory -> fields; no fields: DVC takes the last column, or the file is an image.
        x: a field of every file of `y`, or file -> field; empty: the number of the row.
        x_label, y_label, title, template: as written; empty where not given.

    """

    file: str
    id: str
    y: Mapping[str, tuple[str, ...]]
    x: str | Mapping[str, str] = ""
    x_label: str = ""
    y_label: str = ""
    title: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or directory that is known by a name, such as a model.

    Attributes:
        file: its dvc.yaml.
        name: unique there.
        path: what it names.
        type, desc, labels, meta: for people.

    """

    file: str
    name: str
    path: str
    type: str = ""
    desc: str = ""
    labels: tuple[str, ...] = ()
    meta: Any = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data that deps name by `ds://name`, and that is known by its version: nothing of it lies in the project.

    Attributes:
        file: its dvc.yaml.
        name: unique in the repository; of two with one name the later one counts (DVC's rule).
        spec: what the dvc.yaml says: name, url, type; of type dvc also path and rev, where given.
        record: what the dvc.lock beside it records, in the form of a stage's entry; `None` where it records nothing.

    """

    file: str
    name: str
    spec: Mapping[str, Any]
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """The sections of all dvc.yaml files, in order of the files.

    Attributes:
        params: params files.
        metrics: metrics files, and directories of them.
        plots: plots definitions.
        artifacts: what is known by a name.
        datasets: by name, what is known by its version.

    """

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    datasets: Mapping[str, Dataset] = field(default_factory=dict)

    def recorded(self, records: Mapping[str, Mapping[str, Any]]) -> Declared:
        """Give the same with what the dvc.lock beside the dvc.yaml records of its datasets, by name."""
        found = {name: replace(dataset, record=records.get(name)) for name, dataset in self.datasets.items()}
        return replace(self, datasets=found)

    def __add__(self, other: Declared) -> Declared:
        """Join what two files declare."""
        return Declared(
            self.params + other.params,
            self.metrics + other.metrics,
            self.plots + other.plots,
            self.artifacts + other.artifacts,
            {**self.datasets, **other.datasets},
        )
