"""Past runs: found by what went in, used only if they match in full, and never a reason to fail."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.engine import records
from runner.engine.decision import Content, Now
from runner.engine.runcache import RunCache
from runner.errors import ObjectMissing, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.pipeline import lock, yaml12
from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Param, Stage
from runner.store.cache import Cache
from runner.store.directory import Directory
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.store.protocols import Sink, Source

STAGE = Stage(
    "train",
    "dvc.yaml",
    "train",
    "run me",
    ".",
    (Dep("in", "in"),),
    (Param("params.yaml", "params.yaml", ("size", "rate")),),
    (Out("out", "out"),),
)
IN = Hash("0" * 32)
OUT = Hash("b026324c6904b2a9cb4b88d6d61c81d1")  # of "1\n"
NOW = Now({"in": Content(IN, 5)}, {"params.yaml": {"size": 1, "rate": 2}})


def ran(out: Hash = OUT, size: object = 1) -> LockEntry:
    return LockEntry(
        "run me",
        (LockedPath("in", IN, 5),),
        {"params.yaml": {"size": size, "rate": 2}},
        (LockedPath("out", out, 2),),
    )


def hold(cache: Cache, text: bytes = b"1\n") -> Hash:
    place = cache.root.parent / "source"
    place.write_bytes(text)
    name = Hash(hash_bytes(text))
    cache.add(place, name)
    return name


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path / "cache")
    hold(cache)
    return cache


def record(root: Path, entry: LockEntry, name: str = "", text: str = "") -> Path:
    """Write a record by hand, under its own name or another, with its own text or another."""
    written = lock.entry_data(entry)
    place = root / records.name_of(records.key(written), name or records.value(written))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text or yaml12.render(written))
    return place


def local(cache: Cache) -> RunCache:
    return RunCache(cache, lambda: None)


# Keys, against DVC's own


def test_the_key_and_the_value_are_dvcs(cache: Cache) -> None:
    entry = {
        "cmd": "cat in > a.o",
        "deps": [{"hash": "md5", "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "path": "in"}],
        "outs": [{"hash": "md5", "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "path": "a.o", "size": 2}],
    }
    assert records.key(entry) == "ad9b26decd17969c9b1a7fd266c1a40ec1802f56bfd211c034f80bdbe3d3779a"
    assert records.value(entry) == "f99c0ca4ce65f303ceee8f54b822ba984e108a4aad4dfa59a19dd99ee4f8480e"
    assert json.loads(json.dumps(entry)) == entry, "the entry itself is left alone"
    assert cache.root.name == "cache"


# Found, or not


def test_what_was_remembered_is_found(cache: Cache) -> None:
    name = local(cache).remember(ran())
    assert (cache.root / name).is_file()
    assert local(cache).lookup(STAGE, NOW) == ran()
    assert local(cache).record_of(ran()) == name


def test_remembering_twice_writes_once(cache: Cache) -> None:
    place = cache.root / local(cache).remember(ran())
    inode = place.stat().st_ino
    assert cache.root / local(cache).remember(ran()) == place
    assert place.stat().st_ino == inode


def test_a_run_that_was_not_remembered_has_no_record(cache: Cache) -> None:
    assert local(cache).record_of(ran()) == ""
    assert local(cache).lookup(STAGE, NOW) is None


def test_a_tuple_of_a_python_params_file_is_found_again_as_the_list_it_was_recorded_as(cache: Cache) -> None:
    entry = replace(ran(hold(cache, b"9\n")), params={"params.yaml": {"size": {"k": [1, [2]]}, "rate": 2}})
    local(cache).remember(entry)
    now = Now(NOW.deps, {"params.yaml": {"size": {"k": (1, (2,))}, "rate": 2}})
    assert local(cache).lookup(STAGE, now) == entry


def test_a_param_named_size_that_differs_is_a_miss_although_the_key_is_the_same(cache: Cache) -> None:
    local(cache).remember(ran(hold(cache, b"9\n"), size=9))
    assert records.key(lock.entry_data(ran(size=9))) == records.key(lock.entry_data(ran()))
    assert local(cache).lookup(STAGE, NOW) is None
    local(cache).remember(ran())
    assert local(cache).lookup(STAGE, NOW) == ran()


DAMAGED = {
    "empty": "",
    "cut": "cmd: run me\ndeps:\n- pa",
    "no mapping": "[]\n",
    "binary": "\0\0",
    "another run's": yaml12.render(lock.entry_data(LockEntry("other", outs=(LockedPath("out", OUT),)))),
    "an out added": yaml12.render(lock.entry_data(ran())) + "- path: evil\n  hash: md5\n  md5: " + "0" * 32 + "\n",
    "keys of several kinds": "cmd: run me\nparams:\n  params.yaml:\n    a: {1: x, b: y}\n",
    "a date": "cmd: run me\nparams:\n  params.yaml:\n    a: 2020-01-01\n",
    "bytes": "cmd: run me\nparams:\n  params.yaml:\n    a: !!binary aGk=\n",
    "conflict marks": "<<<<<<< ours\ncmd: run me\n=======\n",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_a_miss_that_is_said(text: str, cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    record(cache.root, ran()).write_text(text)
    assert local(cache).lookup(STAGE, NOW) is None
    assert "not used" in caplog.text


def test_a_record_that_is_no_text_is_a_miss(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    record(cache.root, ran()).write_bytes(b"\xff\xfe")
    assert local(cache).lookup(STAGE, NOW) is None
    assert "damaged" in caplog.text


def test_a_record_under_another_name_is_a_miss(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    record(cache.root, ran(), name="0" * 64)
    assert local(cache).lookup(STAGE, NOW) is None
    assert "does not match its name" in caplog.text


def test_files_that_are_no_records_are_passed_over(cache: Cache) -> None:
    good = record(cache.root, ran())
    good.with_name("notes.txt").write_text("mine")
    good.with_name("0" * 64).mkdir()
    os.mkfifo(good.with_name("1" * 64))
    good.with_name("0" * 63).write_text("cmd: short")
    assert local(cache).lookup(STAGE, NOW) == ran()


def test_a_record_whose_out_is_gone_is_a_miss(cache: Cache) -> None:
    local(cache).remember(ran())
    cache.path(OUT).unlink()
    assert local(cache).lookup(STAGE, NOW) is None


@pytest.mark.parametrize("lost", ["member", "listing", "damaged listing"])
def test_a_record_whose_directory_is_not_whole_is_a_miss(lost: str, tmp_path: Path) -> None:
    made = finished(tmp_path, FOLDER, {"seed": "1\n"})
    listing, member = made.objects("made")
    made.put({"seed": "2\n"})
    made.repro()
    made.put({"seed": "1\n"})
    assert made.plan() == {"make": "restore"}
    for place in (made.root / ".dvc" / "cache", made.remote):
        if lost == "damaged listing":
            (place / listing).chmod(0o644)
            (place / listing).write_text("[]")
        else:
            (place / (member if lost == "member" else listing)).unlink()
    if lost == "damaged listing":
        (made.remote / listing).unlink()
    assert made.plan() == {"make": "run"}


FOLDER = """\
stages:
  make:
    cmd: echo make >> ../journal; mkdir made; cp seed made/x
    deps: [seed]
    outs: [made]
"""


# Several records


def test_of_several_records_everybody_takes_the_one_with_the_smallest_value(cache: Cache, tmp_path: Path) -> None:
    entries = [ran(hold(cache, text)) for text in (b"1\n", b"2\n", b"3\n")]
    smallest = min(entries, key=lambda entry: records.value(lock.entry_data(entry)))
    for number, order in enumerate((entries, entries[::-1])):
        other = Cache(tmp_path / f"cache{number}")
        shutil.copytree(cache.root / "files", other.root / "files")
        for entry in order:
            RunCache(other, lambda: None).remember(entry)
        assert local(other).lookup(STAGE, NOW) == smallest


def test_a_damaged_record_does_not_hide_a_good_one(cache: Cache) -> None:
    record(cache.root, ran(), name="0" * 64, text="[]")
    local(cache).remember(ran())
    assert local(cache).lookup(STAGE, NOW) == ran()


# The remote's


def test_a_record_of_the_remote_is_found_if_its_objects_are_there(cache: Cache, tmp_path: Path) -> None:
    remote = Directory(tmp_path / "remote")
    record(tmp_path / "remote", ran())
    assert RunCache(cache, lambda: remote).lookup(STAGE, NOW) == ran()
    cache.path(OUT).unlink()
    assert RunCache(cache, lambda: remote).lookup(STAGE, NOW) is None
    place = tmp_path / "remote" / OUT.key
    place.parent.mkdir(parents=True)
    place.write_text("1\n")
    assert RunCache(cache, lambda: remote).lookup(STAGE, NOW) == ran()


def test_a_record_of_the_remote_that_no_record_can_be_as_large_as_is_not_taken_in(
    cache: Cache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = record(tmp_path / "remote", ran())
    with place.open("ab") as file:
        file.truncate(17 << 20)
    assert RunCache(cache, lambda: Directory(tmp_path / "remote")).lookup(STAGE, NOW) is None
    assert "larger than 16 MiB" in caplog.text


class Broken:
    """A remote that never answers, and counts how often it was asked."""

    url = "broken://"

    def __init__(self, at: str) -> None:
        self.at, self.asked = at, 0

    def _ask(self, method: str) -> None:
        self.asked += 1
        if method == self.at:
            message = "no answer"
            raise Unavailable(message)

    def names(self, _prefix: str) -> Iterator[str]:
        self._ask("names")
        yield f"runs/xx/{'0' * 64}"

    def exists(self, _names: Iterable[str]) -> Mapping[str, int]:
        self._ask("exists")
        return {}

    def get(self, name: str, _sink: Sink) -> None:
        self._ask("get")
        raise ObjectMissing(name)

    def put(self, _name: str, _source: Source, _report: object = None) -> None:
        raise AssertionError


@pytest.mark.parametrize("at", ["names", "get", "exists"])
def test_a_remote_that_does_not_answer_is_said_once_and_not_asked_again(
    at: str, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    remote = Broken(at)
    runs = RunCache(cache, lambda: remote)
    if at == "exists":
        local(cache).remember(ran())
        cache.path(OUT).unlink()
    for _ in range(3):
        assert runs.lookup(STAGE, NOW) is None
    assert caplog.text.count("the remote's run cache is not used: no answer") == 1
    assert remote.asked <= 2


def test_without_all_inputs_nothing_is_looked_up(cache: Cache) -> None:
    local(cache).remember(ran())
    for now in (
        Now({}, NOW.params),
        Now({"in": None}, NOW.params),
        Now(NOW.deps),
        Now(NOW.deps, {"params.yaml": None}),
    ):
        assert local(cache).lookup(STAGE, now) is None
    assert local(cache).lookup(STAGE, Now(NOW.deps, {"params.yaml": {"rate": 2}})) is None


# On real projects


PARAMS = """\
stages:
  fit:
    cmd: echo fit >> ../journal; cat params.yaml > fit.o
    params: [size]
    outs: [fit.o]
"""


def test_a_changed_param_named_size_runs_the_stage(tmp_path: Path) -> None:
    made = finished(tmp_path, PARAMS, {"params.yaml": "size: 1\n"})
    made.put({"params.yaml": "size: 2\n"})
    assert decisions(made.repro()) == {"fit": "ran"}
    made.put({"params.yaml": "size: 1\n"})
    assert decisions(made.repro()) == {"fit": "restored"}
    assert made.read("fit.o") == "size: 1\n"
    assert made.journal == ["fit", "fit"]


def test_uncached_metrics_are_restored_elsewhere(tmp_path: Path) -> None:
    pipeline = """\
stages:
  fit:
    cmd: echo fit >> ../journal; cat seed > fit.o; echo '{"a":1}' > m.json; echo x,y > p.csv
    deps: [seed]
    outs: [fit.o]
    metrics: [{m.json: {cache: false}}]
    plots: [{p.csv: {cache: false}}]
"""
    made = finished(tmp_path, pipeline, {"seed": "1\n"})
    made.git("checkout", "-q", "-b", "before", "HEAD~1")
    clone = made.clone("clone")
    assert "m.json" not in clone.names()
    assert decisions(clone.repro()) == {"fit": "restored"}
    assert clone.read("m.json") == '{"a":1}\n'
    assert clone.read("p.csv") == "x,y\n"
    assert clone.journal == ["fit"]


def test_a_stage_with_another_uncached_out_is_never_remembered(tmp_path: Path) -> None:
    pipeline = "stages:\n  a:\n    cmd: cat seed > o\n    deps: [seed]\n    outs: [{o: {cache: false}}]\n"
    made = finished(tmp_path, pipeline, {"seed": "1\n"})
    assert not (made.root / ".dvc" / "cache" / "runs").exists()


def test_a_remote_out_of_reach_makes_a_run_slower_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "".join(
        f"  s{n}:\n    cmd: echo {n} > o{n}; cat seed >> o{n}\n    deps: [seed]\n    outs: [o{n}]\n" for n in range(3)
    )
    made = finished(tmp_path, f"stages:\n{text}", {"seed": "1\n"})
    shutil.rmtree(made.remote)
    made.remote.write_text("a file where the remote was\n")
    made.put({"seed": "2\n"})
    report = made.repro()
    assert set(decisions(report).values()) == {"ran"}
    assert caplog.text.count("the remote's run cache is not used") <= 1


def test_clones_choose_the_same_of_two_runs_that_wrote_different_things(tmp_path: Path) -> None:
    pipeline = (
        "stages:\n  roll:\n    cmd: wc -l < ../journal > o; echo x >> ../journal\n    deps: [seed]\n    outs: [o]\n"
    )
    (tmp_path / "journal").write_text("x\n")
    made = finished(tmp_path, pipeline, {"seed": "1\n"})
    made.git("checkout", "-q", "-b", "before", "HEAD~1")
    other = made.clone("other")
    shutil.rmtree(made.remote / "runs")
    assert decisions(other.run(push="always")) == {"roll": "ran"}
    shutil.copytree(made.root / ".dvc" / "cache" / "runs", made.remote / "runs", dirs_exist_ok=True)
    chosen = set()
    for name in ("one", "two"):
        clone = made.clone(name)
        assert decisions(clone.repro()) == {"roll": "restored"}
        chosen.add(clone.read("o"))
    assert len(chosen) == 1
    assert isinstance(made, Workshop)
