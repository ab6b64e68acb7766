"""The text of a dvc.lock: the bytes of real DVC, and nothing touched but the entry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dvc.dependency import loads_from, loads_params
from dvc.dvcfile import Lockfile
from dvc.output import load_from_pipeline
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.hashes import Hash
from runner.pipeline import lock
from runner.pipeline.lockfile import LockFile
from runner.pipeline.model import LockedPath, LockEntry
from tests.support.examples import examples
from tests.unit.pipeline.locks import ENTRIES, MD5, replaced

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repo]:
    root = tmp_path_factory.mktemp("oracle")
    with Repo.init(str(root), no_scm=True) as repo:
        yield repo


def by_dvc(repo: Repo, entries: dict[str, LockEntry], text: str | None = None) -> str:
    """Let DVC write the entries, one after the other, into the lock `text`."""
    path = Path(repo.root_dir) / "dvc.lock"
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text, encoding="utf-8")
    for name, entry in entries.items():
        Lockfile(repo, str(path)).dump(_stage(repo, name, entry))
    return path.read_bytes().decode()


def _stage(repo: Repo, name: str, entry: LockEntry) -> PipelineStage:
    cmd = list(entry.cmd) if isinstance(entry.cmd, tuple) else entry.cmd
    stage = PipelineStage(repo, path=str(Path(repo.root_dir) / "dvc.yaml"), name=name, cmd=cmd, wdir=repo.root_dir)
    params = [{file: list(values)} for file, values in entry.params.items()]
    deps = loads_from(stage, [dep.spelled for dep in entry.deps])
    outs = list(load_from_pipeline(stage, [out.spelled for out in entry.outs]))
    for path, mine in (*zip(deps, entry.deps, strict=True), *zip(outs, entry.outs, strict=True)):
        path.hash_name = "md5"
        path.hash_info = HashInfo("md5", mine.hash.value if mine.hash else None)
        path.meta = Meta(size=mine.size, nfiles=mine.nfiles, isexec=mine.isexec)
    with_values = loads_params(stage, params)
    for param in with_values:
        param.hash_info = HashInfo("params", dict(entry.params[param.def_path]))  # type: ignore[arg-type]  # DVC passes mappings too
    stage.deps = [*deps, *with_values]
    stage.outs = outs
    return stage


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_the_bytes_that_dvc_writes(repo: Repo, name: str) -> None:
    assert replaced(None, name, ENTRIES[name]) == by_dvc(repo, {name: ENTRIES[name]})


@pytest.mark.slow
def test_a_whole_run_of_stages_has_the_bytes_that_dvc_writes(repo: Repo) -> None:
    stable = {name: entry for name, entry in ENTRIES.items() if name != "float specials"}
    lock_file = LockFile(None, "dvc.lock")
    for name, entry in stable.items():
        lock_file.set(name, entry)
    assert lock_file.text == by_dvc(repo, stable)


def test_running_a_stage_again_replaces_its_entry_where_it_stands(repo: Repo) -> None:
    first = {name: ENTRIES[name] for name in ("params", "everything", "lists")}
    text = by_dvc(repo, first)
    again = {"everything": ENTRIES["a directory"]}
    assert replaced(text, "everything", again["everything"]) == by_dvc(repo, again, text)


_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
_PATHS = st.lists(_WORDS.filter(lambda word: "/" not in word and word not in {".", ".."}), min_size=1, max_size=4).map(
    "/".join
)
_LOCAL = _PATHS.filter(
    lambda path: (
        not re.search(r"[:\\]|\.dvc$|dvc\.yaml$|(^|/)\.(git|hg|dvc)(/|$)", path)
    )  # none that DVC itself refuses
)
_HASHES = st.text("0123456789abcdef", min_size=32, max_size=32)
_LOCKED = st.builds(
    lambda path, md5, size, nfiles: LockedPath(path, Hash(md5 if nfiles is None else f"{md5}.dir"), size, nfiles),
    _LOCAL,
    _HASHES,
    st.none() | st.integers(0, 2**40),
    st.none() | st.integers(0, 9),
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)
_ENTRIES = st.builds(
    LockEntry,
    st.lists(_WORDS, min_size=1, max_size=25).map(" ".join) | st.lists(_WORDS, min_size=1, max_size=3).map(tuple),
    st.lists(_LOCKED, max_size=3, unique_by=lambda path: path.spelled).map(tuple),
    st.dictionaries(
        st.sampled_from(["params.yaml", "a.yaml", "z.json", "Größe.yaml"]),
        st.dictionaries(_WORDS, _VALUES, min_size=1, max_size=3),
        max_size=3,
    ),
    st.lists(_LOCKED, max_size=3, unique_by=lambda path: path.spelled).map(tuple),
)


@pytest.mark.slow
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(entry=_ENTRIES)
def test_any_entry_has_the_bytes_that_dvc_writes(repo: Repo, entry: LockEntry) -> None:
    assert replaced(None, "s", entry) == by_dvc(repo, {"s": entry})


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(entry=_ENTRIES)
def test_an_entry_written_and_read_is_written_the_same_again(entry: LockEntry) -> None:
    """What DVC's own form loses is left out: a blank of several where a long line wraps, and the old line break NEL."""
    text = replaced(None, "s", entry)
    assume(not re.search(r"\S[ \t]{2}|\t|\x85", text))
    assert replaced(None, "s", lock.parse(text, "dvc.lock").entries["s"]) == text


COMMENTED = f"""\
# made by hand
schema: '2.0'
stages:
  a:
    cmd: echo 1   # odd spacing stays
    params:
      params.yaml:
        tiny: 8.349999999999999e-08
  # about b
  b:
    cmd: "echo 2"
    outs:
    -   path: o
        hash: md5
        md5: {MD5}
  c: {{cmd: x}}
# the end
"""


def test_entries_that_are_not_touched_keep_their_exact_text_and_comments() -> None:
    text = replaced(COMMENTED, "b", LockEntry("echo 3"))
    before, _, after = COMMENTED.partition('    cmd: "echo 2"')
    assert text == f"{before}    cmd: echo 3\n  c:{after.partition('  c:')[2]}"


def test_a_new_entry_is_appended_after_the_last() -> None:
    text = replaced(COMMENTED, "d", LockEntry("echo 4"))
    assert list(lock.parse(text, "dvc.lock").entries) == ["a", "b", "c", "d"]
    assert "8.349999999999999e-08" in text


def test_a_comment_between_two_entries_survives_the_one_before_it() -> None:
    assert "  # about b\n  b:\n" in replaced(COMMENTED, "a", LockEntry("echo 9"))


@pytest.mark.parametrize(
    "text",
    [
        "schema: '2.0'\nstages: {a: {cmd: x}, b: {cmd: y}}\n",
        "{schema: '2.0', stages: {a: {cmd: x}, b: {cmd: y}}}",
        "schema: '2.0'\nstages:\n    a:\n        cmd: x\n    b:\n        cmd: y\n",
        "schema: '2.0'\nstages:\n  a: &x\n    cmd: x\n  b: *x\n",
        "stages:\n  a:\n    cmd: x\n  b:\n    cmd: y\nschema: '2.0'\n",
        "schema: '2.0'\r\nstages:\r\n  a:\r\n    cmd: x\r\n  b:\r\n    cmd: y\r\n",
        "\N{BYTE ORDER MARK}schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b:\n    cmd: y",
    ],
    ids=["flow", "flow throughout", "indented by four", "anchors", "schema last", "CRLF", "BOM and no last newline"],
)
def test_a_text_in_another_style_still_takes_a_new_entry(text: str) -> None:
    new = replaced(text, "b", LockEntry("z"))
    assert [entry.cmd for entry in lock.parse(replaced(new, "c", LockEntry("q")), "dvc.lock").entries.values()] == [
        "x",
        "z",
        "q",
    ]


@pytest.mark.parametrize("text", [None, "", "schema: '2.0'\n", "schema: '2.0'\nstages: {}\n"])
def test_a_lock_without_entries_takes_the_first(text: str | None) -> None:
    assert replaced(text, "a", LockEntry("x")) == "schema: '2.0'\nstages:\n  a:\n    cmd: x\n"


def test_other_sections_stay_when_the_first_entry_comes() -> None:
    text = "schema: '2.0'\ndatasets:\n- name: d\n  type: dvc\n"
    assert replaced(text, "a", LockEntry("x")).startswith(text)


def test_a_file_that_is_no_lock_is_not_written_over() -> None:
    with pytest.raises(ConfigError, match=r"not a lock"):
        replaced("- a list\n", "s", LockEntry("x"))


def test_odd_line_breaks_inside_untouched_entries_stay() -> None:
    text = "schema: '2.0'\nstages:\n  a:\n    cmd: \"one\N{LINE SEPARATOR}two\"\n  b:\n    cmd: three\n"
    after = replaced(text, "b", LockEntry("four"))
    assert after == text.replace("three", "four")
