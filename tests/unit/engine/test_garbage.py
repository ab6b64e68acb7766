"""Garbage: what nothing names goes, what anything names stays, and what cannot be told ends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.engine import garbage
from runner.engine.garbage import Garbage, Wish
from runner.engine.span import Span
from runner.errors import ConfigError, ObjectMissing, RemoteError
from runner.hashes import Hash, Tree, hash_bytes
from runner.store.sweeping import FORGOTTEN, OLD_ENOUGH
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  one:
    cmd: mkdir out; cp seed out/a; echo b > out/b
    deps: [seed]
    outs: [out]
"""
HERE = Span()


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    """Give a project with two commits that recorded different data; the cache and the remote hold all of it."""
    shop = finished(tmp_path, PIPELINE, {"seed": "1\n"})
    shop.put({"seed": "2\n"})
    shop.run(push="always")
    shop.commit("Again")
    return shop


def found(shop: Workshop, span: Span = HERE, *, not_in_remote: bool = False, remotes: bool = False) -> Garbage:
    with shop.opened() as opened:
        wish = Wish(span, not_in_remote=not_in_remote, remotes=remotes)
        return garbage.find(opened.project, (), wish)


def removed(shop: Workshop, span: Span = HERE, *, remotes: bool = False, skip_failed: bool = False) -> Garbage:
    with shop.opened() as opened, garbage.alone(opened.project, ()):
        going = garbage.find(opened.project, (), Wish(span, remotes=remotes, skip_failed=skip_failed))
        garbage.remove(opened.project, going)
    return going


def stored(folder: Path) -> set[str]:
    names = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {name for name in names if Hash.of_key(name)}


def cache_of(shop: Workshop) -> Path:
    return shop.root / ".dvc" / "cache"


def put_object(shop: Workshop, content: bytes, suffix: str = "") -> Hash:
    name = Hash(hash_bytes(content) + suffix)
    place = cache_of(shop) / name.key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return name


def test_a_directory_that_nothing_names_goes_with_those_of_its_files_that_no_other_has(made: Workshop) -> None:
    before = stored(cache_of(made))
    going = removed(made)
    assert [name.is_dir for name in going.cache.names.listings_first()] == [True, False]
    assert stored(cache_of(made)) == set(made.objects("out"))
    assert stored(made.remote) == before
    assert going.cache.bytes == 2 + len(Tree.of([("a", "a" * 32), ("b", "b" * 32)]).render())


def test_what_another_commit_names_stays_if_it_is_asked_for(made: Workshop) -> None:
    everything = stored(cache_of(made))
    made.git("tag", "old", "HEAD~1")
    for span in (Span(tags=True), Span(commits=True), Span(rev="old"), Span(branches=True, num=2)):
        assert found(made, span, remotes=True).is_nothing
    assert len(found(made, Span(branches=True)).cache.names) == 2
    made.git("branch", "side", "old")
    assert found(made, Span(branches=True)).is_nothing
    assert stored(cache_of(made)) == everything


def test_branches_that_only_another_clone_has_count(made: Workshop) -> None:
    clone = made.clone("clone")
    made.git("branch", "side", "HEAD~1")
    clone.git("fetch", "--quiet")
    shutil.copytree(cache_of(made), cache_of(clone))
    assert len(found(clone).cache.names) == 2
    assert found(clone, Span(branches=True)).is_nothing


def test_in_a_shallow_clone_history_is_not_taken_for_empty(made: Workshop, tmp_path: Path) -> None:
    made.git("clone", "--quiet", "--depth", "1", made.root.as_uri(), str(tmp_path / "shallow"))
    shallow = Workshop(tmp_path / "shallow")
    for span in (Span(commits=True), Span(branches=True), Span(rev="HEAD", num=2), Span(since="2020-01-01")):
        with pytest.raises(ConfigError, match="this clone is shallow"):
            found(shallow, span)
    assert found(shallow, Span(rev="HEAD")).is_nothing


def test_a_commit_that_cannot_be_read_ends_it_unless_it_is_let_go(made: Workshop) -> None:
    made.put({"bad.dvc": "outs: [this is none\n"})
    made.commit("Bad")
    made.put({"bad.dvc": None})
    made.commit("Good again")
    before = stored(cache_of(made))
    with pytest.raises(ConfigError, match=r"commit \w{12}: the DVC files cannot be read: bad.dvc"):
        removed(made, Span(commits=True))
    assert stored(cache_of(made)) == before
    assert removed(made, Span(commits=True), skip_failed=True).is_nothing


def test_dvc_files_that_cannot_be_read_end_it(made: Workshop) -> None:
    made.put({"dvc.lock": "<<<<<<< HEAD\n"})
    before = stored(cache_of(made))
    with pytest.raises(ConfigError):
        removed(made)
    assert stored(cache_of(made)) == before


def test_a_listing_that_only_the_remote_has_is_brought_before_its_files_are_looked_for(made: Workshop) -> None:
    listing, *files = made.objects("out")
    (cache_of(made) / listing).unlink()
    removed(made)
    assert stored(cache_of(made)) == {listing, *files}


def test_a_listing_that_nobody_has_ends_it_unless_its_files_are_let_go(made: Workshop) -> None:
    listing, *_ = made.objects("out")
    (cache_of(made) / listing).unlink()
    (made.remote / listing).unlink()
    before = stored(cache_of(made))
    with pytest.raises(ObjectMissing, match="out of the working tree"):
        removed(made)
    assert stored(cache_of(made)) == before
    removed(made, skip_failed=True)
    assert stored(cache_of(made)) == set()


def test_a_broken_listing_is_fetched_anew_and_not_believed(made: Workshop) -> None:
    listing, *files = made.objects("out")
    place = cache_of(made) / listing
    place.chmod(0o644)
    place.write_text("[]")
    removed(made)
    assert stored(cache_of(made)) == {listing, *files}


@pytest.mark.parametrize("is_gone", [False, True])
def test_who_only_looks_changes_nothing(made: Workshop, retrain: Program, is_gone: bool) -> None:  # noqa: FBT001 - a column
    place = cache_of(made) / made.objects("out")[0]
    place.chmod(0o644)
    if is_gone:
        place.unlink()
    else:
        place.write_text("[]")
    before = {path: path.read_bytes() for path in cache_of(made).rglob("*") if path.is_file()}
    said = retrain("gc", "-w", "--dry", cwd=made.root).stdout
    assert {path: path.read_bytes() for path in cache_of(made).rglob("*") if path.is_file()} == before
    assert "2 objects to remove" in said


def test_what_came_into_a_remote_lately_stays_and_of_a_directory_its_older_files_too(made: Workshop) -> None:
    """A push sends the files that are lacking, then the listing; that some were there before makes it no garbage."""
    listing, *files = Workshop(made.root).objects("out")
    made.put({"dvc.lock": "schema: '2.0'\nstages: {}\n"})
    old, new = [made.remote / key for key in files], made.remote / listing
    now = new.stat().st_ctime
    with made.opened() as opened:
        before = min(place.stat().st_ctime for place in old)
        assert before <= now
        going = garbage.find(opened.project, (), Wish(HERE, remotes=True, before=now)).remotes[""].names
        assert not {name.key for name in going} & {listing, *files}
        assert going  # what the first run had pushed
        everything = garbage.find(opened.project, (), Wish(HERE, remotes=True, before=now + 60)).remotes[""].names
        assert {name.key for name in everything} >= {listing, *files}


def test_what_cannot_be_removed_leaves_no_listing_without_its_files(made: Workshop) -> None:
    gone = put_object(made, Tree.of([("a", hash_bytes(b"a"))]).render(), ".dir")
    put_object(made, b"a")
    stuck = cache_of(made) / "files" / "md5" / "00" / ("0" * 30)
    stuck.mkdir(parents=True)
    with pytest.raises(RemoteError, match="cannot remove from"):
        removed(made)
    assert not (cache_of(made) / gone.key).exists()
    assert (cache_of(made) / Hash(hash_bytes(b"a")).key).exists()
    stuck.rmdir()
    removed(made)
    assert stored(cache_of(made)) == set(made.objects("out"))


def test_records_of_past_runs_stay(made: Workshop) -> None:
    runs = {path for path in (cache_of(made) / "runs").rglob("*") if path.is_file()}
    assert len(runs) == 2
    removed(made, remotes=True)
    assert {path for path in (cache_of(made) / "runs").rglob("*") if path.is_file()} == runs
    made.put({"seed": "1\n"})
    assert made.plan() == {"one": "run"}


def test_a_broken_object_that_was_put_away_goes_only_where_it_is_not_the_last_of_its_name(made: Workshop) -> None:
    listing, first, second = made.objects("out")
    quarantine = cache_of(made) / "quarantine"
    quarantine.mkdir()
    named = [Hash.of_key(key) for key in (first, second)]
    for name in named:
        (quarantine / f"{name}-0123abcd").write_text("broken")
    (quarantine / f"{'0' * 32}-0123abcd").write_text("nothing names it")
    (quarantine / "mine").write_text("not ours")
    (cache_of(made) / second).unlink()
    removed(made)
    assert sorted(path.name for path in quarantine.iterdir()) == [f"{named[1]}-0123abcd", "mine"]
    assert stored(cache_of(made)) == {listing, first}


def test_what_killed_runs_left_half_written_goes_when_it_is_old_and_its_owner_is_gone(made: Workshop) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = cache_of(made) / "files" / "md5" / "ab"
    folder.mkdir(parents=True, exist_ok=True)
    names = {"old": (gone.pid, OLD_ENOUGH + 60), "young": (gone.pid, 0), "mine": (os.getpid(), OLD_ENOUGH + 60)}
    paths = {
        word: folder / f".{process}-{index:016x}-{index:x}.tmp"
        for index, (word, (process, _)) in enumerate(names.items())
    }
    for word, path in paths.items():
        path.write_text("half")
        moment = path.stat().st_mtime - names[word][1]
        os.utime(path, (moment, moment))
    (cache_of(made) / f".{gone.pid}-{'e' * 16}-7f.tmp").write_text("arriving")
    os.utime(cache_of(made) / f".{gone.pid}-{'e' * 16}-7f.tmp", (0, 0))
    for word, age in (("forgotten", FORGOTTEN + 60), ("resumable", OLD_ENOUGH + 60)):
        paths[word] = folder / f".{word.encode().hex()[:2] * 15}.part.tmp"
        paths[word].write_text("half")
        moment = paths[word].stat().st_mtime - age
        os.utime(paths[word], (moment, moment))
    assert len(removed(made).leftovers) == 3
    assert {word for word, path in paths.items() if path.exists()} == {"young", "mine", "resumable"}


def test_what_a_killed_run_left_beside_outs_goes_with_the_next_run(made: Workshop) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    half, own = made.root / f".{gone.pid}-{'a' * 16}-7f.tmp", made.root / ".mine.tmp"
    half.mkdir()
    (half / "file").write_text("half")
    own.write_text("own")
    os.utime(half, (0, 0))
    os.utime(own, (0, 0))
    made.pull()
    assert not half.exists()
    assert own.exists()


def test_an_object_that_a_link_in_the_workspace_leads_to_stays_though_nothing_names_it(made: Workshop) -> None:
    name = put_object(made, b"linked")
    shutil.rmtree(made.root / "out")
    (made.root / "out").mkdir()
    (made.root / "out" / "a").symlink_to(cache_of(made) / name.key)
    removed(made)
    assert name.key in stored(cache_of(made))
    assert (made.root / "out" / "a").read_bytes() == b"linked"


def test_only_what_the_remote_holds_in_the_same_size_goes_if_that_is_asked_for(made: Workshop) -> None:
    listing, first, second = made.objects("out")
    (made.remote / first).unlink()
    (made.remote / second).chmod(0o644)
    (made.remote / second).write_text("cut")
    going = found(made, Span(), not_in_remote=True)
    assert {name.key for name in going.cache.names} == stored(cache_of(made)) - {first, second}
    assert listing in {name.key for name in going.cache.names}


USING = """\
import sys
from pathlib import Path
from runner.store.cache import Cache
cache = Cache(Path(sys.argv[1]))
cache.holding.share()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_cache_that_another_run_uses_is_left_alone_until_that_run_ends(made: Workshop) -> None:
    command = [sys.executable, "-c", USING, str(cache_of(made))]
    before = stored(cache_of(made))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match="another retrain uses the cache"):
            removed(made)
        assert stored(cache_of(made)) == before
        assert len(found(made).cache.names) == 2
        other.stdin.close()
    removed(made)
    assert stored(cache_of(made)) == set(made.objects("out"))


def test_nobody_begins_to_use_a_cache_that_is_being_cleaned(made: Workshop) -> None:
    command = [sys.executable, "-c", USING, str(cache_of(made))]
    with made.opened() as opened, garbage.alone(opened.project, ()):
        done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert "`retrain gc` is at work in the cache" in done.stderr
    assert subprocess.run(command, input="", capture_output=True, text=True, check=False).stdout == "held\n"


LOCKING = """\
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("lock", "who"), [(".dvc/tmp/retrain/lock", "another retrain"), (".dvc/tmp/lock", "DVC")])
def test_a_run_in_the_same_folder_ours_or_dvcs_keeps_it_away(made: Workshop, lock: str, who: str) -> None:
    clone = made.clone("clone")
    (clone.root / lock).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", LOCKING, str(clone.root / lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"{who} is at work in this folder"):
            removed(clone)
        other.stdin.close()
    removed(clone)


def test_a_command_that_dvc_runs_keeps_it_away(made: Workshop) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        busy = {"write": {f"{made.root}/out": {"pid": other.pid, "cmd": "dvc repro"}}, "read": {}}
        (made.root / ".dvc/tmp/rwlock").write_text(json.dumps(busy))
        with pytest.raises(ConfigError, match="is in use by 'dvc repro'"):
            removed(made)
        other.communicate(b"\n")
    removed(made)
    assert stored(cache_of(made)) == set(made.objects("out"))
