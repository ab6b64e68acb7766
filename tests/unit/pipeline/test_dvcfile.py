"""`.dvc` files: read as data sources, and written with new hashes as DVC writes them."""

from __future__ import annotations

import json

import pytest

from runner.errors import ConfigError
from runner.hashes import LEGACY, MD5, Hash, hash_bytes
from runner.pipeline import files
from runner.pipeline.model import Dep, Excerpt, LockedPath, LockEntry, Out, Stage
from runner.pipeline.source import Repo, Source

OLD = "60b725f10c9c85c70d97880dfe8191b3"
ADDED = f"outs:\n- md5: {OLD}\n  size: 2\n  hash: md5\n  path: data.csv\n"


def load(text: str, file: str = "data.csv.dvc") -> tuple[Stage, LockEntry]:
    pipeline = files.load([file], {file: text}.get)
    return pipeline.stages[0], pipeline.entries[file]


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(problem).partition("\n")[0] for problem in caught.value.problems]


def test_a_file_of_dvc_add_is_a_data_source_with_an_entry_of_its_own() -> None:
    stage, entry = load(ADDED, "sub/data.csv.dvc")
    assert stage == Stage(
        "sub/data.csv.dvc", "sub/data.csv.dvc", "", None, "sub", outs=(Out("sub/data.csv", "data.csv"),)
    )
    assert stage.is_data_source
    assert entry == LockEntry(None, outs=(LockedPath("data.csv", Hash(OLD), 2),))


def test_flags_wdir_and_words_for_people_are_read() -> None:
    text = (
        "desc: d\nmeta: {a: 1}\nwdir: ..\nlocked: true\nalways_changed: true\nouts:\n"
        f"- md5: {OLD}.dir\n  nfiles: 2\n  path: x\n  cache: true\n  push: false\n  remote: r\n  persist: true\n"
        "- path: y\n"
    )
    stage, entry = load(text, "sub/x.dvc")
    assert (stage.desc, stage.meta, stage.wdir, stage.frozen, stage.always_changed) == ("d", {"a": 1}, ".", True, True)
    assert stage.outs == (Out("x", "x", push=False, remote="r", persist=True), Out("y", "y"))
    assert entry.outs == (LockedPath("x", Hash(f"{OLD}.dir", LEGACY), nfiles=2), LockedPath("y", None))


@pytest.mark.parametrize("text", ["", "null\n", "outs:\n", "deps:\nouts:\n", "frozen: false\n"])
def test_a_file_that_tracks_nothing_is_fine(text: str) -> None:
    stage, entry = load(text)
    assert stage.outs == ()
    assert entry.outs == ()


COMMIT = "4dfc04540394bc32ffd2fbd6f1e4ee0aaf1ac43f"
IMPORT = f"""\
md5: 9ef4b139991961f36f53b4f528f1d815
frozen: true
deps:
- path: model
  repo:
    url: /srv/src
    rev: v1
    rev_lock: {COMMIT}
outs:
- md5: {OLD}
  size: 2
  hash: md5
  path: model1
"""


def test_an_import_from_a_repository_is_known_by_the_commit() -> None:
    stage, entry = load(IMPORT)
    source = Source("model", Repo("/srv/src", "v1", COMMIT))
    assert (stage.frozen, stage.is_import, stage.outs) == (
        True,
        True,
        (Out("model1", "model1", origin="data.csv.dvc"),),
    )
    assert stage.deps == (Dep("model (/srv/src)", "model", source),)
    assert stage.reads == ()
    assert entry.deps == (LockedPath("model", Hash(COMMIT, "rev_lock")),)
    assert entry.outs == (LockedPath("model1", Hash(OLD), 2),)


def dep(text: str) -> tuple[Dep, LockedPath]:
    stage, entry = load(f"frozen: true\ndeps:\n- {text}\nouts:\n- path: a\n", "sub/a.dvc")
    return stage.deps[0], entry.deps[0]


@pytest.mark.parametrize(
    ("text", "expected", "recorded"),
    [
        (f"{{path: ../b, md5: {OLD}, hash: md5}}", Dep("b", "../b"), Hash(OLD)),
        ("{path: /srv/b}", Dep("/srv/b", "/srv/b", Source("/srv/b")), None),
        ("{path: ../../b}", Dep("../b", "../../b", Source("../b")), None),
        (
            "{path: https://h/b, checksum: '\"x\"', hash: md5}",
            Dep("https://h/b", "https://h/b", Source("https://h/b")),
            Hash('"x"', "checksum"),
        ),
        (
            "{path: s3://k/b, etag: abc, version_id: v, hash: md5, fs_config: {version_aware: true, region: r}}",
            Dep("s3://k/b", "s3://k/b", Source("s3://k/b", None, {"region": "r"}, versioned=True)),
            Hash("abc", "etag"),
        ),
    ],
    ids=["inside", "absolute", "outside", "http", "version-aware s3"],
)
def test_a_dep_knows_where_it_is_to_be_had(text: str, expected: Dep, recorded: Hash | None) -> None:
    found, entry = dep(text)
    assert found == expected
    assert entry.hash == recorded


def test_an_import_whose_md5_is_another_keeps_what_it_was() -> None:
    assert load(IMPORT)[1].checksum == "9ef4b139991961f36f53b4f528f1d815"
    assert load(IMPORT.replace("md5: 9ef4b139991961f36f53b4f528f1d815\n", ""))[1].checksum == ""
    assert load(f"md5: abc\n{ADDED}")[1].checksum is None


@pytest.mark.parametrize(
    ("md5", "path", "out"),
    [
        ("846b057f0289811cd4199eacbd59cc31", "/srv/data/../in.txt", "in.txt"),
        ("c1684b4c61c3a082ec3974076ac94c2a", "./../hd/loc.txt", "l2.txt"),
    ],
)
def test_a_path_that_leads_out_of_the_project_counts_in_the_md5_as_it_is_written(md5: str, path: str, out: str) -> None:
    recorded = "- md5: 35e8fdf1750ca9b739c2e29aa323a386\n  size: 4\n  hash: md5\n  path: "
    text = f"md5: {md5}\nfrozen: true\ndeps:\n{recorded}{path}\nouts:\n{recorded}{out}\n"
    assert load(text, f"{out}.dvc")[1].checksum is None  # as DVC 3.67 wrote it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("outs:\n- path: a\n  metric: {kind: json}\n", "data.csv.dvc:3:12: unknown key 'kind'"),
        ("outs:\n- path: a\n  metric: {type: xml}\n", "data.csv.dvc:3:12: 'xml' is no type of metric"),
        ("cmd: 1\n", "data.csv.dvc:1:1: expected a string, a list of strings or nothing"),
        ("outz: []\n", "data.csv.dvc:1:1: unknown key 'outz'"),
        ("- a\n", "data.csv.dvc:1:1: expected a mapping, found a list"),
        ("outs: {}\n", "data.csv.dvc:1:1: expected a list or nothing, found a mapping"),
        ("outs:\n- md5: abc\n", "data.csv.dvc:2:3: 'path' is missing"),
        ("outs:\n- path: a\n  md5: abc\n", "data.csv.dvc:3:3: 'abc' is not an md5"),
        ('outs:\n- path: "a\\rb"\n', "data.csv.dvc:2:3: 'a\\rb' is not a path: it holds a control character"),
        ("outs:\n- path: a\n  md5: ab\n", "data.csv.dvc:3:3: expected a string of at least 3 characters (quote it)"),
        ("outs:\n- path: a\n  md5: 12345\n", "data.csv.dvc:3:3: expected a string of at least 3 characters (quote it)"),
        ("outs:\n- path: a\n  size: big\n", "data.csv.dvc:3:3: expected a whole number, found a string ('big')"),
        ("outs:\n- path: ../a\n", "data.csv.dvc:2:3: '../a' is outside the repository"),
        ("outs:\n- path: .git/config\n", "data.csv.dvc:2:3: '.git/config' is inside .git"),
        ("outs:\n- path: s3://b/k\n", "data.csv.dvc:2:3: the URL 's3://b/k' is not supported as an out"),
        ("wdir: ../..\n", "data.csv.dvc:1:1: the wdir '../..' is outside the repository"),
        ("deps:\n- path: a\n  files: [1]\n", "data.csv.dvc:3:11: expected a mapping, found a whole number (1)"),
        ("deps:\n- path: a\n  files: [{etag: abc}]\n", "data.csv.dvc:3:11: 'relpath' is missing"),
        ('deps:\n- path: "s3://b/\\0"\n', "data.csv.dvc:2:3: 's3://b/\\x00' is neither a path nor a url"),
        ("deps:\n- path: ''\n", "data.csv.dvc:2:3: '' is neither a path nor a url"),
        ("frozen: true\ndeps:\n- pathh: a\n", "data.csv.dvc:3:3: unknown key 'pathh'"),
        ("frozen: true\ndeps:\n- path: a\n  repo: {rev: x}\n", "data.csv.dvc:4:3: 'url' is missing"),
        ("frozen: true\ndeps:\n- db: {query: x}\n", "data.csv.dvc:3:3: imports from a database are not supported"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(text: str, expected: str) -> None:
    assert mistakes(text)[0].startswith(expected)


STAGE = """\
cmd: [python a.py, python b.py]
deps:
- path: data
  md5: 60b725f10c9c85c70d97880dfe8191b3
outs:
- path: a.csv
  cache: false
  metric: {type: HCSV, xpath: ' 0,auc '}
- path: b.json
  metric: true
  tags:
    best: {md5: 60b725f10c9c85c70d97880dfe8191b3}
- path: c
  metric: {type: null}
"""


@pytest.mark.parametrize("file", ["Dvcfile", "sub/train.dvc"])
def test_a_stage_of_dvc_0_has_a_file_of_its_own(file: str) -> None:
    stage, entry = load(STAGE, file)
    assert (stage.address, stage.cmd, stage.is_data_source) == (file, ("python a.py", "python b.py"), False)
    assert [out.excerpt for out in stage.outs] == [Excerpt("hcsv", "0,auc"), None, None]
    assert [out.metric for out in stage.outs] == [True, True, True]
    assert entry.deps == (LockedPath("data", Hash(OLD, LEGACY)),)
    assert entry.checksum == ""


def test_an_md5_is_taken_from_dvc_before_1_too_which_counted_that_outs_are_cached() -> None:
    said = {"cmd": "x", "deps": [{"md5": OLD, "path": "a"}], "outs": [{"md5": OLD, "path": "b", "cache": True}]}
    text = (
        "cmd: x\ndeps:\n- md5: {0}\n  path: a\nouts:\n- md5: {0}\n  path: b\n  cache: true\n  metric: false\nmd5: {1}\n"
    )
    for counted in (said, {**said, "outs": [{"md5": OLD, "path": "b"}]}):
        _, entry = load(text.format(OLD, hash_bytes(json.dumps(counted, sort_keys=True).encode())), "x.dvc")
        assert entry.checksum is None
    assert load(text.format(OLD, OLD), "x.dvc")[1].checksum == OLD


def test_one_stage_file_makes_a_project_one_of_dvc_2() -> None:
    texts = {"Dvcfile": "cmd: x\n", "a.dvc": ADDED}
    assert files.load(texts, texts.get).kind == LEGACY
    assert files.load(["a.dvc"], texts.get).kind == MD5
