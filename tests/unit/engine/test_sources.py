"""What may be read for whom, and that bytes come whole: sources of files on this machine and of a real web server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.imported import Repositories
from runner.engine.sources import Sources
from runner.errors import ConfigError, ObjectMissing, RemoteError
from runner.hashes import Hash, Tree
from runner.pipeline.config import Config, RemoteConfig
from runner.pipeline.model import Dep, LockedPath
from runner.pipeline.source import Source
from runner.store.cache import Cache
from tests.support import web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.web import Site

ABC = Hash("900150983cd24fb0d6963f7d28e17f72")


@pytest.fixture
def site() -> Iterator[Site]:
    with web.serve() as found:
        found.files["/shop/a"] = b"abc"
        yield found


def sources(root: Path, site: Site | None = None, *, trusted: bool = True) -> Sources:
    shop = {"shop": RemoteConfig("shop", f"{site.url}/shop")} if site else {}
    repositories = Repositories(root, {}, Cache(root / "cache"), 2, strict=not trusted)
    return Sources(Config(shop), repositories, lambda _: trusted)


def dep(url: str) -> Dep:
    return Dep(url, url, Source(url))


def test_a_source_is_asked_once_however_often_it_is_looked_at(tmp_path: Path, site: Site) -> None:
    mine = sources(tmp_path, site)
    deps = [dep("remote://shop/a"), dep(f"{site.url}/shop/a")]
    mine.look_at_all((one, None) for one in deps)
    first = [mine.look(one, None) for one in deps]
    assert first == [mine.look(one, None) for one in deps]
    assert site.asked == [("HEAD", "/shop/a")] * 2


def test_a_remote_of_the_configuration_is_read_also_for_a_stranger(tmp_path: Path, site: Site) -> None:
    assert sources(tmp_path, site, trusted=False).look(dep("remote://shop/a"), None)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("remote://shop/../secret", ConfigError, "leads out of its remote"),
        ("remote://none/a", ConfigError, "there is no remote 'none'"),
        ("s3://b/k", RemoteError, "is named by this pull request only"),
        ("/etc/passwd", RemoteError, "not trusted"),
        ("../x", RemoteError, "not trusted"),
    ],
)
def test_a_stranger_reads_nothing_else(url: str, error: type[Exception], said: str, tmp_path: Path, site: Site) -> None:
    with pytest.raises(error, match=said):
        sources(tmp_path, site, trusted=False).look(dep(url), None)


def test_a_directory_comes_with_its_listing(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "there" / "in").mkdir(parents=True)
    (tmp_path / "there" / "in" / "a").write_bytes(b"abc")
    mine, there = sources(tmp_path / "project"), dep("../there")
    found = mine.look(there, None)
    assert found
    content = mine.bring(there, LockedPath("../there", found.hash))
    assert content.hash == Tree.of([("in/a", ABC.value)]).hash
    assert (content.size, content.nfiles) == (3, 1)
    cache = Cache(tmp_path / "project" / "cache")
    assert list(cache.tree(content.hash)) == [("in/a", ABC.value)]
    assert cache.read(ABC) == b"abc"


def test_what_is_recorded_and_there_no_more_is_not_brought(tmp_path: Path, site: Site) -> None:
    url = f"{site.url}/shop/a"
    with pytest.raises(ObjectMissing, match="does not hold what was found there any more"):
        sources(tmp_path).bring(dep(url), LockedPath(url, Hash('"another"', "checksum"), 3))
    with pytest.raises(ObjectMissing, match="nothing is recorded"):
        sources(tmp_path).bring(dep(url), LockedPath(url, None))
    assert not (tmp_path / "cache").exists() or not [one for one in (tmp_path / "cache").rglob("*") if one.is_file()]
