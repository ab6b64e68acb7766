"""dvc.lock against DVC's own writer: the bytes of entries, and what replacing one leaves alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from runner.hashes import LEGACY, Hash, Tree
from runner.pipeline import lock, yaml12
from runner.pipeline.model import LockedPath, LockEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

MD5 = "d3b07384d113edec49eaa6238ad5ff00"
LISTING = f"{MD5}.dir"


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


def locked(spelled: str, value: str = MD5, size: int | None = 4, nfiles: int | None = None) -> LockedPath:
    return LockedPath(spelled, Hash(value), size, nfiles)


LONG = "python train.py --alpha 0.1 --beta 0.2 --gamma 0.3 --delta 0.4 --epsilon 0.5 --zeta 0.6 > out.txt 2>&1"
ENTRIES: dict[str, LockEntry] = {
    "a command alone": LockEntry("echo"),
    "a list of commands": LockEntry(("echo 1", "echo 2")),
    "a long command": LockEntry(LONG),
    "a long first word": LockEntry("x" * 100 + " y"),
    "two lines": LockEntry("cat a\ncat b\n"),
    "a comment in it": LockEntry("echo # no"),
    "quotes in it": LockEntry("""echo "it's" '"x"'"""),
    "a colon in it": LockEntry("echo a: b > o3"),
    "unicode in it": LockEntry("python größe.py --name 日本語 " * 4),
    "deps out of order": LockEntry("x", deps=tuple(locked(p) for p in ("b", "a", "B", "../x", "./a", "a/", "a//b"))),
    "outs out of order": LockEntry("x", outs=tuple(locked(p) for p in ("m.json", "a", "é", "z", "Z"))),
    "a directory": LockEntry("x", outs=(locked("d", LISTING, 8, 2),)),
    "an empty directory": LockEntry("x", outs=(locked("d", LISTING, 0, 0),)),
    "an empty file": LockEntry("x", outs=(locked("o", size=0),)),
    "unknown sizes": LockEntry("x", outs=(locked("o", size=None),)),
    "an executable": LockEntry("x", deps=(LockedPath("run.sh", Hash(MD5), 4, isexec=True),)),
    "an md5 of digits": LockEntry("x", deps=(locked("a", "1" * 32), locked("b", "1" * 30 + "e1"))),
    "paths that need quotes": LockEntry(
        "x", deps=tuple(locked(p) for p in ("a b", "a: b", "- x", "#c", "[x]", "true"))
    ),
    "paths like numbers": LockEntry("x", deps=tuple(locked(p) for p in ("1", "1.5", "1e3", "0o17", "2020-01-01"))),
    "a long path": LockEntry("x", outs=(locked("some folder with a long name/" * 5 + "end"),)),
    "params": LockEntry("x", params={"params.yaml": {"lr": 0.001, "epochs": 3, "a.b": True}}),
    "params of several files": LockEntry("x", params={"z.json": {"q": 1}, "a.yaml": {"q": 1}, "params.yaml": {"q": 1}}),
    "params of folders": LockEntry("x", params={"../params.yaml": {"q": 1}, "A.yaml": {"q": 1}, "s/p.yaml": {"q": 1}}),
    "floats": LockEntry("x", params={"params.yaml": {"a": 1e20, "b": 1e-3, "c": 1e-10, "d": 1e16, "e": -0.0}}),
    "float specials": LockEntry(
        "x", params={"params.yaml": {"a": float("inf"), "b": float("-inf"), "c": float("nan")}}
    ),
    "big whole numbers": LockEntry("x", params={"params.yaml": {"a": 2**70, "b": -1, "c": 0}}),
    "nothing and flags": LockEntry("x", params={"params.yaml": {"a": None, "b": False, "c": True}}),
    "strings like others": LockEntry(
        "x", params={"params.yaml": {"a": "true", "b": "1", "c": "null", "d": "", "e": "1.5", "f": "yes", "g": "~"}}
    ),
    "lists": LockEntry("x", params={"params.yaml": {"a": [1, [2, [3, None]], [], {}], "b": [{"c": 1, "d": [2]}]}}),
    "mappings": LockEntry("x", params={"params.yaml": {"m": {"z": 1, "a": {"k": [1, 2], "e": {}}}, "n": {}}}),
    "a nested long text": LockEntry("x", params={"params.yaml": {"t": {"u": ["word " * 40, "w" * 120]}}}),
    "a text of lines": LockEntry(
        "x", params={"params.yaml": {"t": "one\ntwo\n\nthree\n", "u": " lead", "v": "trail "}}
    ),
    "keys out of order": LockEntry("x", params={"params.yaml": {"b": 1, "a": 2, "B": 3, "a.b": 4, "é": 5}}),
    "everything": LockEntry(
        ("echo 1", LONG),
        deps=(locked("train.py"), locked("data", LISTING, 10, 3)),
        params={"params.yaml": {"lr": 0.1}, "conf.json": {"a": [1]}},
        outs=(locked("model"), locked("m.json")),
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_the_bytes_that_dvc_writes(repo: Repo, name: str) -> None:
    assert lock.replace(None, name, ENTRIES[name]) == by_dvc(repo, {name: ENTRIES[name]})


@pytest.mark.slow
def test_a_whole_run_of_stages_has_the_bytes_that_dvc_writes(repo: Repo) -> None:
    stable = {name: entry for name, entry in ENTRIES.items() if name != "float specials"}
    lock_file = lock.LockFile(None, "dvc.lock")
    for name, entry in stable.items():
        lock_file.set(name, entry)
    assert lock_file.text == by_dvc(repo, stable)


def test_running_a_stage_again_replaces_its_entry_where_it_stands(repo: Repo) -> None:
    first = {name: ENTRIES[name] for name in ("params", "everything", "lists")}
    text = by_dvc(repo, first)
    again = {"everything": ENTRIES["a directory"]}
    assert lock.replace(text, "everything", again["everything"]) == by_dvc(repo, again, text)


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
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(entry=_ENTRIES)
def test_any_entry_has_the_bytes_that_dvc_writes(repo: Repo, entry: LockEntry) -> None:
    assert lock.replace(None, "s", entry) == by_dvc(repo, {"s": entry})


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(entry=_ENTRIES)
def test_an_entry_written_and_read_is_written_the_same_again(entry: LockEntry) -> None:
    """What DVC's own form loses is left out: a blank of several where a long line wraps, and the old line break NEL."""
    text = lock.replace(None, "s", entry)
    assume(not re.search(r"\S[ \t]{2}|\t|\x85", text))
    assert lock.replace(None, "s", lock.parse(text, "dvc.lock").entries["s"]) == text


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
    text = lock.replace(COMMENTED, "b", LockEntry("echo 3"))
    before, _, after = COMMENTED.partition('    cmd: "echo 2"')
    assert text == f"{before}    cmd: echo 3\n  c:{after.partition('  c:')[2]}"


def test_a_new_entry_is_appended_after_the_last() -> None:
    text = lock.replace(COMMENTED, "d", LockEntry("echo 4"))
    assert list(lock.parse(text, "dvc.lock").entries) == ["a", "b", "c", "d"]
    assert "8.349999999999999e-08" in text


def test_a_comment_between_two_entries_survives_the_one_before_it() -> None:
    assert "  # about b\n  b:\n" in lock.replace(COMMENTED, "a", LockEntry("echo 9"))


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
    new = lock.replace(text, "b", LockEntry("z"))
    assert [entry.cmd for entry in lock.parse(lock.replace(new, "c", LockEntry("q")), "dvc.lock").entries.values()] == [
        "x",
        "z",
        "q",
    ]


@pytest.mark.parametrize("text", [None, "", "schema: '2.0'\n", "schema: '2.0'\nstages: {}\n"])
def test_a_lock_without_entries_takes_the_first(text: str | None) -> None:
    assert lock.replace(text, "a", LockEntry("x")) == "schema: '2.0'\nstages:\n  a:\n    cmd: x\n"


def test_other_sections_stay_when_the_first_entry_comes() -> None:
    text = "schema: '2.0'\ndatasets:\n- name: d\n  type: dvc\n"
    assert lock.replace(text, "a", LockEntry("x")).startswith(text)


def test_a_lock_is_read_into_entries() -> None:
    text = lock.replace(None, "s", ENTRIES["everything"])
    entry = lock.parse(text, "dvc.lock").entries["s"]
    assert entry.cmd == ("echo 1", LONG)
    assert entry.dep("data") == LockedPath("data", Hash(LISTING), 10, 3)
    assert entry.params == {"params.yaml": {"lr": 0.1}, "conf.json": {"a": [1]}}
    assert [out.spelled for out in entry.outs] == ["m.json", "model"]


def test_an_item_without_hash_is_of_the_legacy_kind_and_is_written_without_it() -> None:
    text = f"schema: '2.0'\nstages:\n  s:\n    cmd: x\n    outs:\n    - path: o\n      md5: {MD5}\n      size: 3\n"
    entry = lock.parse(text, "dvc.lock").entries["s"]
    assert entry.outs[0].hash == Hash(MD5, LEGACY)
    assert lock.replace(None, "s", entry) == text


def test_cloud_and_etag_are_kept_as_read() -> None:
    text = (
        "schema: '2.0'\nstages:\n  s:\n    cmd: x\n    deps:\n    - path: s3://b/k\n      hash: md5\n"
        f"      etag: abcdef\n      size: 3\n    outs:\n    - path: o\n      hash: md5\n      md5: {MD5}\n"
        "      size: 2\n      cloud:\n        r:\n          etag: abc\n          version_id: v\n"
    )
    assert lock.replace(None, "s", lock.parse(text, "dvc.lock").entries["s"]) == text


FILES = f"""\
schema: '2.0'
stages:
  s:
    cmd: x
    outs:
    - path: o
      hash: md5
      files:
      - relpath: b/é
        md5: {MD5}
        size: 2
        cloud:
          r:
            version_id: v
      - relpath: a
        md5: {MD5}
"""


def test_a_directory_whose_files_are_recorded_one_by_one_has_the_hash_of_their_listing() -> None:
    entry = lock.parse(FILES, "dvc.lock").entries["s"]
    assert entry.outs[0].hash == Tree.of([("a", MD5), ("b/é", MD5)]).hash
    assert lock.replace(None, "s", entry) == FILES


def test_files_without_an_md5_give_no_hash() -> None:
    entry = lock.parse(FILES.replace(f"- relpath: a\n        md5: {MD5}", "- relpath: a"), "dvc.lock").entries["s"]
    assert entry.outs[0].hash is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("relpath: a", "relpath: ../a", "the path '../a' could leave the directory"),
        ("relpath: a", "relpath: ''", "the path '' could leave the directory"),
        ("- relpath: a", "- path: a", "unknown key 'path'"),
        ("size: 2", "size: two", "expected a whole number"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(old: str, new: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        lock.parse(FILES.replace(old, new), "dvc.lock")
    assert caught.value.problems[0].where


def test_one_entry_alone_is_read_as_a_run_cache_record_holds_it() -> None:
    text = yaml12.render(lock.entry_data(ENTRIES["everything"]))
    assert lock.entry_data(lock.parse_entry(text, "record")) == lock.entry_data(ENTRIES["everything"])


HEAD = "schema: '2.0'\nstages:\n  s:\n    cmd: x\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "dvc.lock", "empty"),
        ("{}\n", "dvc.lock", "empty"),
        ("stages: {}\n", "dvc.lock:1:1", "'schema' is missing"),
        ("schema: 2.0\nstages: {}\n", "dvc.lock:1:1", "schema: '2.0'"),
        ("schema: '1.0'\n", "dvc.lock:1:1", "'1.0'"),
        ("schema: '2.0'\nstage: {}\n", "dvc.lock:2:1", "unknown key 'stage'"),
        (
            "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps:\n    - path: d\n      hash: md5\n      md5: abc\n",
            "dvc.lock:8:7",
            "'abc' is not an md5",
        ),
        ("schema: '2.0'\nstages: []\n", "dvc.lock:2:1", "expected a mapping, found a list"),
        (f"{HEAD}  t: {{outs: []}}\n", "dvc.lock:5:3", "'cmd' is missing"),
        (f"{HEAD}    outs:\n    - path: o\n      md6: a\n", "dvc.lock:7:7", "unknown key 'md6'"),
        (f"{HEAD}    outs:\n    - path: o\n      md5: 12345678901234567890123456789012\n", "dvc.lock:7:7", "quote it"),
        (f"{HEAD}    outs:\n    - path: o\n      size: 1.5\n", "dvc.lock:7:7", "expected a whole number"),
        (f"{HEAD}    deps:\n    - hash: md5\n", "dvc.lock:6:7", "'path' is missing"),
        (f"{HEAD}    params:\n      params.yaml: 1\n", "dvc.lock:6:7", "expected a mapping"),
        (f"{HEAD}    cmd: y\n", "dvc.lock:5", "comes twice"),
        ("<<<<<<< ours\nschema: '2.0'\n=======\n>>>>>>> theirs\n", "dvc.lock:1", "merge conflict"),
    ],
)
def test_a_broken_lock_is_refused_with_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lock.parse(text, "dvc.lock")
    assert str(caught.value.problems[0]).startswith(place)
    assert said in str(caught.value)


def test_all_mistakes_of_a_lock_are_told_at_once() -> None:
    text = f"{HEAD}    deps:\n    - path: 1\n    - {{}}\n    outz: []\n  t: 3\n"
    with pytest.raises(ConfigError) as caught:
        lock.parse(text, "dvc.lock")
    assert [problem.where.line for problem in caught.value.problems if problem.where] == [8, 9]


def test_a_file_that_is_no_lock_is_not_written_over() -> None:
    with pytest.raises(ConfigError, match=r"not a lock"):
        lock.replace("- a list\n", "s", LockEntry("x"))


def test_sections_are_dumped_in_dvcs_order_whatever_order_they_came_in() -> None:
    entry: dict[str, Any] = lock.entry_data(ENTRIES["everything"])
    assert list(entry) == ["cmd", "deps", "params", "outs"]
    assert list(entry["outs"][0]) == ["path", "hash", "md5", "size"]


def test_odd_line_breaks_inside_untouched_entries_stay() -> None:
    text = "schema: '2.0'\nstages:\n  a:\n    cmd: \"one\N{LINE SEPARATOR}two\"\n  b:\n    cmd: three\n"
    after = lock.replace(text, "b", LockEntry("four"))
    assert after == text.replace("three", "four")
