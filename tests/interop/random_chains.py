"""Random small pipelines and random edits of them, for the property tests. Strategies and values; `Change` writes."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.interop.projects import Project, put

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("f0", "f1")
MEMBERS = ("d/x", "d/y", "d/deep/z")
ADDED_FILE, ADDED_MEMBERS = "added", ("tracked/x", "tracked/y")
KEYS = ("p0", "p1", "nested.p2")
VALUES = (0, 1, 1.0, True, "1", None, [1, 2], {"k": 1.5})
CONTENTS = ("", "a\n", "b\n", "a\nb\n")


@dataclass(frozen=True)
class Step:
    """One stage: what it reads, and whether it writes a file or a directory."""

    name: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    makes_folder: bool
    remark: str = ""
    reads_params: bool = False
    frozen: bool = False
    always_changed: bool = False

    @property
    def out(self) -> str:
        """Where it writes."""
        return f"o-{self.name}"

    @property
    def cmd(self) -> str:
        """What it runs: a function of what it reads."""
        reads = [f"$(find {dep} -type f | sort)" for dep in self.deps] + ["params.yaml"] * self.reads_params
        text = f"cat {' '.join(reads)}" if reads else "echo nothing"
        made = f"mkdir {self.out} && {text} > {self.out}/a && echo b > {self.out}/b"
        return (made if self.makes_folder else f"{text} > {self.out}") + self.remark

    def written(self) -> dict[str, Any]:
        """Give it as dvc.yaml says it."""
        flags = {flag: True for flag in ("frozen", "always_changed") if getattr(self, flag)}
        return {"cmd": self.cmd, "deps": [*self.deps], "params": [*self.params], "outs": [self.out], **flags}


@dataclass(frozen=True)
class Shape:
    """A project: its stages in the order of dvc.yaml, and its parameters."""

    steps: tuple[Step, ...]
    params: tuple[Any, ...]

    def project(self) -> Project:
        """Give it as files."""
        files = {path: f"{path}\n" for path in (*FILES, *MEMBERS, ADDED_FILE, *ADDED_MEMBERS)}
        added = (ADDED_FILE, "tracked")
        return Project("random", self.pipeline(), {**files, "params.yaml": self.parameters()}, added=added)

    def pipeline(self) -> str:
        """Give the text of dvc.yaml; JSON is YAML too."""
        return json.dumps({"stages": {step.name: step.written() for step in self.steps}}, indent=1)

    def parameters(self) -> str:
        """Give the text of params.yaml."""
        first, second, third = self.params
        return json.dumps({"p0": first, "p1": second, "nested": {"p2": third}})


@dataclass(frozen=True)
class Edit:
    """One change: `kind` says what is done, `at` to which stage or path, `to` the new content."""

    kind: str
    at: int
    to: int

    def reshape(self, shape: Shape) -> Shape:
        """Give the shape with the change; the same one where the change is of files only."""
        step = shape.steps[self.at % len(shape.steps)]
        if self.kind == "param":
            place = self.at % len(shape.params)
            value = VALUES[self.to % len(VALUES)]
            return replace(shape, params=(*shape.params[:place], value, *shape.params[place + 1 :]))
        changed = {
            "cmd": lambda: replace(step, remark=f" # {self.to}"),
            "frozen": lambda: replace(step, frozen=not step.frozen),
            "always": lambda: replace(step, always_changed=True),
            "more deps": lambda: replace(step, deps=tuple(dict.fromkeys((*step.deps, FILES[self.to % len(FILES)])))),
            "fewer deps": lambda: replace(step, deps=step.deps[1:]),
        }.get(self.kind, lambda: step)()
        return replace(shape, steps=tuple(changed if each is step else each for each in shape.steps))

    def touch(self, root: Path, shape: Shape) -> None:
        """Make the change of files below `root`."""
        sources = (*FILES, *MEMBERS, ADDED_FILE, *ADDED_MEMBERS)
        source = root / sources[self.at % len(sources)]
        out = root / shape.steps[self.at % len(shape.steps)].out
        member = out / "b" if out.is_dir() else out
        text = CONTENTS[self.to % len(CONTENTS)]
        match self.kind:
            case "source":
                put(root, {str(source.relative_to(root)): text})
            case "same" if source.is_file():
                source.write_bytes(source.read_bytes())
            case "chmod" if source.is_file():
                source.chmod(0o755)
            case "source gone" if source.is_file():
                source.unlink()
            case "new member":
                put(root, {("d", "tracked", "d/deep")[self.at % 3] + f"/new{self.to}": text})
            case "out" if member.is_file():
                put(root, {str(member.relative_to(root)): text})
            case "out gone" if out.exists():
                shutil.rmtree(out) if out.is_dir() else out.unlink()
            case "member gone" if member.is_file():
                member.unlink()


FILE_EDITS = ("source", "same", "chmod", "source gone", "new member", "out", "out gone", "member gone")
SHAPE_EDITS = ("param", "cmd", "frozen", "always", "more deps", "fewer deps")


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Draw a project of 2 to 7 stages; each reads sources and what earlier stages write, wholly or in part."""
    steps: list[Step] = []
    for number in range(draw(st.integers(2, 7))):
        made = [path for step in steps for path in ((step.out, f"{step.out}/a") if step.makes_folder else (step.out,))]
        readable = [*FILES, "d", "d/deep/z", ADDED_FILE, "tracked", "tracked/x", *made, *made]
        steps.append(
            Step(
                f"s{number}",
                tuple(draw(st.lists(st.sampled_from(readable), max_size=3, unique=True))),
                tuple(draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))),
                makes_folder=draw(st.booleans()),
                reads_params=draw(st.booleans()),
            )
        )
    order = draw(st.permutations(steps))
    values = st.sampled_from(VALUES)
    return Shape(tuple(order), (draw(values), draw(values), draw(values)))


def edits() -> st.SearchStrategy[list[Edit]]:
    """Draw 1 to 4 changes."""
    kinds = st.sampled_from((*FILE_EDITS, *SHAPE_EDITS))
    return st.lists(st.builds(Edit, kinds, st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=4)


def apply(root: Path, shape: Shape, changes: list[Edit]) -> Shape:
    """Make the changes in `root`; give the shape it has then."""
    for change in changes:
        shape = change.reshape(shape)
        change.touch(root, shape)
    put(root, {"dvc.yaml": shape.pipeline(), "params.yaml": shape.parameters()})
    return shape
