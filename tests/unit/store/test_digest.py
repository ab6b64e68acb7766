"""The digests that name objects, against what real DVC answered."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from runner.hashes import LEGACY, MD5, Hash
from runner.store.digest import Dos2Unix, digest_for, hash_as

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "legacy_md5.json").read_text())


@pytest.mark.parametrize("case", VECTORS)
def test_both_hashes_are_those_of_dvc(case: str, tmp_path: Path) -> None:
    vector = VECTORS[case]
    path = tmp_path / "file"
    path.write_bytes(base64.b64decode(vector["b64"]))
    assert hash_as(LEGACY, str(path)) == vector["legacy"]
    assert hash_as(MD5, str(path)) == vector["md5"]


def test_where_the_chunks_are_cut_does_not_matter() -> None:
    chance = random.Random(7)  # noqa: S311 - a fixed sequence for a test, not a secret
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
