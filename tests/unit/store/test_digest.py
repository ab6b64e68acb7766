"""The digests that name objects, against what real DVC answered."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from runner.hashes import LEGACY, MD5, Hash, hash_bytes
from runner.store.cache import Cache
from runner.store.digest import Dos2Unix, digest_for, fits, hash_as

TEXT = b"text, 16 bytes\r\n" * (1 << 16)
BINARY = b"\0text 16 bytes\r\n" * (1 << 16)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "legacy_md5.json").read_text())


@pytest.mark.parametrize("case", VECTORS)
def test_both_hashes_are_those_of_dvc(case: str, tmp_path: Path) -> None:
    vector = VECTORS[case]
    path = tmp_path / "file"
    path.write_bytes(base64.b64decode(vector["b64"]))
    assert hash_as(LEGACY, str(path)) == vector["legacy"]
    assert hash_as(MD5, str(path)) == vector["md5"]


def test_where_the_chunks_are_cut_does_not_matter() -> None:
    chance = random.Random(7)
    content = b"".join(chance.choice([b"text\r\n", b"\r", b"\n", b"\0\r\n"]) for _ in range(400_000))
    whole = Dos2Unix()
    whole.update(content)
    pieces = digest_for(Hash("0" * 32, LEGACY))
    while content:
        cut = chance.randrange(1, 300_000)
        pieces.update(content[:cut])
        content = content[cut:]
    assert pieces.hexdigest() == whole.hexdigest()
    assert pieces.hexdigest() == pieces.hexdigest()


@pytest.mark.parametrize(
    "blocks", [(TEXT, BINARY, TEXT), (BINARY, TEXT), (TEXT, TEXT[:600]), (TEXT, BINARY[:900]), (TEXT[:99],)]
)
def test_an_object_that_dvc_2_named_by_its_first_block_is_that_object(
    blocks: tuple[bytes, ...], tmp_path: Path
) -> None:
    content = b"".join(blocks)
    unix = content if blocks[0] is BINARY else b"".join(block.replace(b"\r\n", b"\n") for block in blocks)
    name = Hash(hash_bytes(unix), LEGACY)
    digest = digest_for(name)
    digest.update(content)
    assert fits(digest, name)
    cache = Cache(tmp_path / "cache")
    with cache.write(name) as incoming:
        incoming.write(content)
    cache.verify(name)
    cache.checkout(name, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content
    assert not fits(digest, Hash("0" * 32, LEGACY))
