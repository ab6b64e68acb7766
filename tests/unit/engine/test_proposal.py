"""What may be in the commit of a new lock: by names alone, then read from real working trees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine import proposal
from runner.engine.proposal import GONE, LINK, Change, Scope
from runner.errors import ConfigError
from runner.git import Entry, Git
from runner.pipeline.model import Dep, Out, Param, Stage
from runner.pipeline.pipeline import Pipeline
from tests.interop.projects import git, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def stage(name: str, folder: str = "", **of: object) -> Stage:
    file = f"{folder}dvc.yaml"
    return Stage(f"{file}:{name}", file, name, "cmd", folder or ".", **of)  # type: ignore[arg-type]


def out(path: str, *, cache: bool = False) -> Out:
    return Out(path, path, cache=cache)


TRAIN = stage(
    "train",
    deps=(Dep("train.py", "train.py"), Dep("data", "data"), Dep("raw.csv", "raw.csv")),
    params=(Param("params.yaml", "params.yaml", ("depth",)),),
    outs=(out("model.pkl", cache=True), out("metrics.json"), out("plots"), out("params.yaml"), out(".github/x.yml")),
    used={"conf/vars.yaml": ("lr",)},
)
DEEP = stage("deep", "sub/", deps=(Dep("metrics.json", "../metrics.json"),), outs=(out("sub/out.json"),))
DATA = Stage("raw.csv.dvc", "raw.csv.dvc", "", None, ".", outs=(out("raw.csv", cache=True),))
PIPELINE = Pipeline((TRAIN, DEEP, DATA), {})
SCOPE = proposal.scope_of(PIPELINE, "", "retrain.yaml")
ALLOWED = {"dvc.lock", "sub/dvc.lock", "raw.csv.dvc", "metrics.json", "sub/out.json"}


def sort(*paths: str, scope: Scope = SCOPE) -> tuple[list[str], list[str], list[str]]:
    found = proposal.sorted_out(paths, scope)
    return list(found.proposed), list(found.left), list(found.refused)


@pytest.mark.parametrize("path", [*sorted(ALLOWED), "plots/roc.json", "plots/deep/er.png"])
def test_locks_and_outs_that_git_tracks_may_be_proposed(path: str) -> None:
    assert sort(path) == ([path], [], [])


DECIDING = ["dvc.yaml", "sub/dvc.yaml", "params.yaml", "sub/params.yaml", "conf/vars.yaml", "train.py", "data/rows.csv"]
OTHERS = ["README.md", ".gitignore", "plots.json", "plotsy/x", "metrics.json.bak", "raw.csv", "model.pkl", "raw.csv/x"]


@pytest.mark.parametrize(
    "path", [*DECIDING, "retrain.yaml", ".dvc/config", ".dvcignore", "other.dvc", "sub/new/dvc.yaml", ".github/x.yml"]
)
def test_what_the_lock_depends_on_is_refused_unless_it_is_committed(path: str) -> None:
    assert sort(path) == ([], [], [path])


@pytest.mark.parametrize("path", [*OTHERS, ".github/workflows/ci.yml", "sub/dvc.lock.bak", "elsewhere/dvc.lock"])
def test_everything_else_is_left_as_it_is(path: str) -> None:
    assert sort(path) == ([], [path], [])


def test_a_project_in_a_folder_names_its_files_from_the_top() -> None:
    scope = proposal.scope_of(PIPELINE, "models/a/", "models/a/retrain.yaml")
    assert sort("models/a/dvc.lock", "models/a/plots/x", "dvc.lock", "plots/x", scope=scope) == (
        ["models/a/dvc.lock", "models/a/plots/x"],
        ["dvc.lock", "plots/x"],
        [],
    )
    assert sort("models/a/train.py", "train.py", ".dvc/config", scope=scope) == (
        [],
        [".dvc/config", "train.py"],
        ["models/a/train.py"],
    )


def test_what_a_dvcignore_hides_in_a_dep_is_no_part_of_it() -> None:
    scope = proposal.scope_of(PIPELINE, "a/", "a/retrain.yaml", lambda path: path.endswith(".pyc"))
    assert sort("a/data/x.pyc", "a/data/x.csv", "data/x.pyc", scope=scope) == (
        [],
        ["a/data/x.pyc", "data/x.pyc"],
        ["a/data/x.csv"],
    )


NAMES = "dvc.yaml dvc.lock params.yaml retrain.yaml .github .git .gitignore .dvc config plots metrics.json sub .. x.dvc"
PARTS = st.sampled_from([*NAMES.split(), "a b", "x", "raw.csv.dvc", "model.pkl", "\u202e", "workflows", ".retrain"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.sets(PATHS, max_size=12), st.sets(PATHS, max_size=4), st.sampled_from(["", "sub/", "a b/"]))
def test_whatever_changed_and_whatever_stages_write_nothing_outside_the_allowed_set_is_proposed(
    changed: set[str], outs: set[str], prefix: str
) -> None:
    writing = stage("any", outs=tuple(out(path) for path in sorted(outs)), params=TRAIN.params, deps=TRAIN.deps)
    scope = proposal.scope_of(Pipeline((writing, DATA), {}), prefix, f"{prefix}retrain.yaml")
    found = proposal.sorted_out(changed, scope)
    assert sorted([*found.proposed, *found.left, *found.refused]) == sorted(changed)
    declared = {os.path.normpath(f"{prefix}{path}") for path in outs} - {".", prefix.rstrip("/")}
    for path in found.proposed:
        parts = path.split("/")
        assert parts[-1] not in {"dvc.yaml", ".dvcignore"}
        assert path not in {f"{prefix}params.yaml", f"{prefix}retrain.yaml"}
        assert not {".dvc", "..", ".retrain"} & set(parts)
        assert not any(part.startswith(".git") for part in parts)
        written = any(path == one or path.startswith(f"{one}/") for one in declared)
        assert written or path in {f"{prefix}dvc.lock", f"{prefix}raw.csv.dvc"}


# Read from a working tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Git]:
    """Give a repository with a lock, a script and a metric that is tracked."""
    git(tmp_path, "init", "--quiet", "-b", "main")
    put(
        tmp_path,
        {"dvc.lock": "old\n", "train.py": "pass\n", "metrics.json": "{}\n", "plots/a": "1\n", "plots/b": "2\n"},
    )
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    with Git(tmp_path, os.environ) as opened:
        yield opened


def gathered(tree: Git, files: Mapping[str, str | bytes | None]) -> list[Change]:
    put(tree.root, files)
    return list(proposal.gathered(tree, SCOPE).changes)


def test_a_tree_as_it_was_proposes_nothing(tree: Git) -> None:
    (tree.root / "dvc.lock").touch()
    assert gathered(tree, {}) == []


def test_changed_new_and_deleted_files_are_read(tree: Git) -> None:
    assert gathered(tree, {"dvc.lock": "new\n", "plots/a": None, "plots/c d": b"\0\xff", "README": "left\n"}) == [
        Change("dvc.lock", b"new\n", "100644", "100644"),
        Change("plots/a", None, GONE, "100644"),
        Change("plots/c d", b"\0\xff", "100644", ""),
    ]
    assert proposal.gathered(tree, SCOPE).left == ("README",)


def test_what_is_staged_counts_as_well(tree: Git) -> None:
    put(tree.root, {"dvc.lock": "new\n", "metrics.json": None})
    git(tree.root, "add", "-A")
    assert [change.path for change in gathered(tree, {})] == ["dvc.lock", "metrics.json"]


def test_names_that_git_would_quote_are_read(tree: Git) -> None:
    names = ["plots/ü", "plots/new\nline", 'plots/"quoted"', "plots/\ttab", "plots/-r", "plots/ a"]
    assert {change.path for change in gathered(tree, dict.fromkeys(names, "1\n"))} == set(names)


def test_a_name_that_is_no_unicode_is_refused(tree: Git) -> None:
    (tree.root / os.fsdecode(b"plots/\xff")).write_text("1")
    with pytest.raises(ConfigError, match="not UTF-8"):
        gathered(tree, {})


def test_modes_and_links_are_kept(tree: Git) -> None:
    put(tree.root, {"plots/run": "true\n"})
    (tree.root / "plots/run").chmod(0o755)
    (tree.root / "plots/b").chmod(0o755)
    (tree.root / "plots/link").symlink_to("a")
    found = {change.path: (change.mode, change.was, change.is_plain) for change in gathered(tree, {})}
    assert found == {
        "plots/b": ("100755", "100644", False),
        "plots/link": (LINK, "", False),
        "plots/run": ("100755", "", False),
    }


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_a_link_that_leads_out_is_refused_by_name(tree: Git, target: str) -> None:
    (tree.root / "plots/link").symlink_to(target)
    with pytest.raises(ConfigError, match=r"'plots/link' is a link that leads out"):
        gathered(tree, {})


def test_what_is_neither_file_nor_link_is_refused(tree: Git) -> None:
    put(tree.root, {"metrics.json": None})
    os.mkfifo(tree.root / "metrics.json")
    with pytest.raises(ConfigError, match=r"'metrics.json' is neither a file nor a link"):
        gathered(tree, {})


def test_a_file_larger_than_github_takes_is_refused_by_name(tree: Git) -> None:
    with (tree.root / "metrics.json").open("wb") as file:
        file.truncate(proposal.LARGEST + 1)
    with pytest.raises(ConfigError, match=r"'metrics.json' has 41,943,041 bytes"):
        gathered(tree, {})


def test_uncommitted_inputs_are_refused_by_name(tree: Git) -> None:
    with pytest.raises(ConfigError, match=r"not committed: 'data/new', 'train.py'"):
        gathered(tree, {"train.py": "other\n", "data/new": "1\n", "dvc.lock": "new\n"})


def test_a_file_that_git_stores_otherwise_is_refused(tree: Git) -> None:
    with pytest.raises(ConfigError, match=r"would store 'metrics.json' otherwise"):
        gathered(tree, {".gitattributes": "*.json text\n", "metrics.json": "{}\r\n"})


def test_many_names_are_counted(tree: Git) -> None:
    with pytest.raises(ConfigError, match="and 2 more"):
        gathered(tree, {f"data/{number}": "" for number in range(7)})


# Against another commit

OURS = {
    "dvc.lock": Entry("100644", "1" * 40),
    "train.py": Entry("100644", "2" * 40),
    "README": Entry("100644", "3" * 40),
}
NEW = Change("dvc.lock", b"new\n", "100644", "100644")


def clashing(**theirs: Entry | None) -> list[str]:
    other = {path.replace("_", "."): entry for path, entry in theirs.items()}
    tree = {path: entry for path, entry in {**OURS, **other}.items() if entry}
    return proposal.conflicts([NEW], SCOPE, OURS, tree)


def test_what_does_not_matter_may_differ() -> None:
    assert clashing(README=None) == []
    assert clashing(NOTES=Entry("100644", "4" * 40)) == []


@pytest.mark.parametrize("path", ["train_py", "dvc_lock", "params_yaml", "retrain_yaml"])
def test_what_matters_may_not(path: str) -> None:
    assert clashing(**{path: Entry("100644", "4" * 40)}) == [path.replace("_", ".")]


def test_a_lock_that_is_there_already_is_no_conflict_and_no_change() -> None:
    there = {**OURS, "dvc.lock": NEW.entry("1" * 40)}
    assert clashing(dvc_lock=NEW.entry("1" * 40)) == []
    assert proposal.missing_from([NEW], {path: entry for path, entry in there.items() if entry}) == ()
    assert proposal.missing_from([Change("gone", None, GONE)], OURS) == ()


def test_an_id_is_the_one_that_git_gives(tree: Git) -> None:
    head = tree.tree("HEAD")
    (change,) = gathered(tree, {"dvc.lock": "new\n"})
    assert change.entry(head["train.py"].blob) == Entry("100644", git(tree.root, "hash-object", "dvc.lock"))


def test_a_digest_names_paths_modes_and_contents() -> None:
    one, two = Entry("100644", "1" * 40), Entry("100755", "1" * 40)
    names = [proposal.digest(found) for found in ({"a": one}, {"a": two}, {"b": one}, {"a": None}, {})]
    assert len(set(names)) == len(names)
    assert proposal.digest({"a": one, "b": two}) == proposal.digest({"b": two, "a": one})
    assert proposal.difference({"a": one, "b": two}, {"b": one, "c": two}) == {"a": None, "b": one, "c": two}
