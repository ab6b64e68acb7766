"""Verify: whatever is broken is found, wherever it is, and mended from the side that is good."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.engine import audit
from runner.errors import ObjectMissing
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.engine.audit import Audit

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  folder:
    cmd: mkdir folder; cp seed folder/x; echo y > folder/y
    deps: [seed]
    outs: [folder]
  file:
    cmd: cat seed seed > file
    deps: [seed]
    outs: [file]
  kept:
    cmd: echo kept > kept; cat seed >> kept
    deps: [seed]
    outs: [{kept: {push: false}}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, PIPELINE, {"seed": "1\n"})


def verify(made: Workshop, *targets: str, remotes: bool = False, repair: bool = False) -> Audit:
    with made.opened() as opened:
        return audit.verify(opened.project, targets, remotes=remotes, repair=repair)


def cached(made: Workshop, key: str) -> Path:
    return made.root / ".dvc" / "cache" / key


def sent(made: Workshop, key: str) -> Path:
    return made.remote / key


def flip(place: Path) -> None:
    """Change one bit and leave size, mode and times as they were: what a disk does."""
    before = place.stat()
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.chmod(0o644)
    place.write_bytes(content)
    place.chmod(0o444)
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(place: Path) -> None:
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-1])


def states(done: Audit) -> set[tuple[str, str, str]]:
    return {(finding.side, finding.state, finding.path) for finding in done.findings}


def test_nothing_is_wrong_with_what_was_just_made(made: Workshop) -> None:
    done = verify(made, remotes=True)
    assert done.is_good
    assert (done.cache.objects, done.remote.objects) == (5, 4)
    assert done.findings == ()


@pytest.mark.parametrize("damage", [flip, cut])
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("targets", [(), ("folder",)])
def test_every_broken_object_of_the_cache_is_found(
    made: Workshop, damage: Callable[[Path], None], number: int, targets: tuple[str, ...]
) -> None:
    damage(cached(made, made.objects("folder")[number]))
    done = verify(made, *targets)
    assert states(done) == {("cache", "corrupt", "folder")}
    assert not done.is_good


def test_a_broken_object_that_no_out_is_made_of_is_found_too(made: Workshop) -> None:
    stray = cached(made, "files/md5/ab/" + "c" * 30)
    stray.parent.mkdir()
    stray.write_bytes(b"not what my name says")
    assert states(verify(made)) == {("cache", "corrupt", "")}
    assert verify(made, "file").is_good


def test_a_broken_object_of_the_cache_is_fetched_anew(made: Workshop) -> None:
    for key in made.objects("folder"):
        flip(cached(made, key))
    done = verify(made, repair=True)
    assert states(done) == {("cache", "corrupt", "folder")}
    assert done.is_good
    assert verify(made).findings == ()


@pytest.mark.parametrize("number", [0, 1])
def test_what_was_put_away_when_it_was_found_broken_is_known_to_be_missing_until_it_is_back(
    made: Workshop, number: int
) -> None:
    key = made.objects("folder")[number]
    flip(cached(made, key))
    assert states(verify(made)) == {("cache", "corrupt", "folder")}
    if number:  # a listing is fetched anew to be read
        again = verify(made)
        assert states(again) == {("cache", "missing", "folder")}
        assert not again.is_good
        done = verify(made, repair=True)
        assert states(done) == {("cache", "missing", "folder")}
        assert done.is_good
    assert verify(made, repair=True).findings == ()


def test_a_cut_copy_in_the_cache_says_nothing_of_the_remote(made: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    key = made.objects("folder")[1]
    cut(cached(made, key))
    with made.opened() as opened:
        lacking = audit.unproved(opened.project, ())
    assert (lacking.asked, list(lacking)) == (4, [])
    assert "in the cache holds other bytes" in caplog.text


def test_what_was_never_pushed_cannot_be_repaired_and_is_named(made: Workshop) -> None:
    flip(cached(made, made.objects("kept")[0]))
    done = verify(made, repair=True)
    assert states(done) == {("cache", "corrupt", "kept")}
    assert not done.is_good


@pytest.mark.parametrize("damage", [flip, cut])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_broken_object_of_the_remote_is_found_and_sent_anew(
    made: Workshop, damage: Callable[[Path], None], number: int
) -> None:
    key = made.objects("folder")[number]
    before = sent(made, key).read_bytes()
    damage(sent(made, key))
    assert verify(made).is_good
    done = verify(made, remotes=True)
    assert states(done) == {("remote", "corrupt", "folder")}
    assert not done.is_good
    assert verify(made, remotes=True, repair=True).is_good
    assert sent(made, key).read_bytes() == before
    assert verify(made, remotes=True).findings == ()


def test_what_the_remote_lacks_is_found_and_sent(made: Workshop) -> None:
    key = made.objects("folder")[1]
    sent(made, key).unlink()
    assert states(verify(made, remotes=True)) == {("remote", "missing", "folder")}
    assert verify(made, remotes=True, repair=True).is_good
    assert sent(made, key).exists()


def test_what_is_broken_on_both_sides_stays_a_finding(made: Workshop) -> None:
    (key,) = made.objects("file")
    flip(cached(made, key))
    flip(sent(made, key))
    done = verify(made, remotes=True, repair=True)
    assert not done.is_good
    assert {finding.repaired for finding in done.findings} == {False}


@pytest.mark.parametrize("damage", [flip, Path.unlink])
def test_a_listing_is_not_sent_whose_files_would_not_all_be_there(
    made: Workshop, damage: Callable[[Path], None]
) -> None:
    listing, *files = made.objects("folder")
    cached(made, files[0]).unlink()
    sent(made, files[0]).unlink()
    damage(sent(made, listing))
    before = {place: place.read_bytes() for place in sent(made, listing).parent.glob("*")}
    done = verify(made, remotes=True, repair=True)
    assert {finding.repaired for finding in done.findings} == {False}
    assert {place: place.read_bytes() for place in sent(made, listing).parent.glob("*")} == before
    why = {finding.name: finding.why for finding in done.findings}
    assert "1 files of that directory are not in the remote" in why[listing]
    assert "not mended: the cache has no good copy" in why[files[0]]


def test_why_a_remote_was_not_mended_is_said(made: Workshop) -> None:
    (key,) = made.objects("file")
    place = sent(made, key)
    place.unlink()
    place.parent.rmdir()
    place.parent.touch()  # nothing can be written there
    (finding,) = verify(made, remotes=True, repair=True).findings
    assert (finding.state, finding.repaired) == ("missing", False)
    assert "not mended: cannot write" in finding.why


def test_what_cannot_be_read_in_the_cache_is_not_taken_for_mended(made: Workshop) -> None:
    (key,) = made.objects("file")
    place = cached(made, key)
    place.unlink()
    place.symlink_to("/proc/self/mem")  # is there, and reading its first byte is an error of the device
    (finding,) = verify(made, repair=True).findings
    assert (finding.state, finding.repaired) == ("unchecked", False)


def test_a_fresh_clone_reads_the_remote_and_keeps_nothing_but_listings(made: Workshop) -> None:
    clone = made.clone("clone")
    done = verify(clone, remotes=True)
    assert (done.cache.objects, done.remote.objects, done.findings) == (0, 4, ())
    kept = [place for place in (clone.root / ".dvc" / "cache").rglob("*") if place.is_file()]
    assert [place.name.endswith(".dir") for place in kept] == [True]


def test_every_object_of_the_lock_is_proved_without_moving_one(made: Workshop) -> None:
    clone = made.clone("clone")
    with clone.opened() as opened:
        lacking = audit.unproved(opened.project, ())
        assert (lacking.asked, len(lacking)) == (4, 0)
    (key,) = made.objects("file")
    sent(made, key).unlink()
    with clone.opened() as opened:
        lacking = audit.unproved(opened.project, ())
    assert lacking.asked == 4
    assert [(finding.name, finding.path, finding.state) for finding in lacking] == [(key, "file", "missing")]


@pytest.mark.parametrize(("path", "number"), [("file", 0), ("folder", 1), ("folder", 2)])
def test_an_object_of_another_size_than_the_lock_says_is_no_proof(path: str, number: int, made: Workshop) -> None:
    clone = made.clone("clone")
    cut(sent(made, made.objects(path)[number]))
    with clone.opened() as opened:
        lacking = audit.unproved(opened.project, ())
    assert [(finding.path, finding.state) for finding in lacking] == [(path, "corrupt")]


def test_an_object_of_another_size_than_in_the_cache_is_no_proof(made: Workshop) -> None:
    for key in made.objects("folder"):
        cut(sent(made, key))
    with made.opened() as opened:
        lacking = audit.unproved(opened.project, ())
    assert {finding.name for finding in lacking} == set(made.objects("folder"))


def test_that_one_out_stays_here_excuses_no_other_of_the_same_bytes(tmp_path: Path) -> None:
    twins = """\
stages:
  a:
    cmd: cp seed a
    deps: [seed]
    outs: [{a: {push: false}}]
  b:
    cmd: cp seed b
    deps: [seed]
    outs: [b]
"""
    made = finished(tmp_path, twins, {"seed": "1\n"})
    (key,) = made.objects("b")
    sent(made, key).unlink()
    with made.opened() as opened:
        lacking = audit.unproved(opened.project, ())
    assert (lacking.asked, [finding.name for finding in lacking]) == (1, [key])
    assert states(verify(made, remotes=True)) == {("remote", "missing", "b")}


@pytest.mark.parametrize("targets", [(), ("folder/x", "file")])
def test_a_broken_listing_of_the_remote_hides_nothing_else(targets: tuple[str, ...], made: Workshop) -> None:
    clone = made.clone("clone")
    flip(sent(made, made.objects("folder")[0]))
    sent(made, made.objects("file")[0]).unlink()
    expected = {("remote", "corrupt", "folder"), ("remote", "missing", "file")}
    assert states(verify(clone, *targets, remotes=True)) == expected
    with clone.opened() as opened:
        lacking = audit.unproved(opened.project, targets)
    assert {(finding.side, finding.state, finding.path) for finding in lacking} == expected


def test_a_part_whose_listing_nobody_has_is_no_proof_of_nothing(made: Workshop) -> None:
    clone = made.clone("clone")
    sent(made, made.objects("folder")[0]).unlink()
    with clone.opened() as opened, pytest.raises(ObjectMissing, match="folder/x is not in the directory"):
        audit.unproved(opened.project, ["folder/x"])
    with made.opened() as opened, pytest.raises(ObjectMissing, match="folder/nothing is not in the directory"):
        audit.unproved(opened.project, ["folder/nothing"])
