"""Entries of locks of every shape, and a lock with one of them replaced."""

from __future__ import annotations

from runner.hashes import Hash
from runner.pipeline.lockfile import LockFile
from runner.pipeline.model import LockedPath, LockEntry

MD5 = "d3b07384d113edec49eaa6238ad5ff00"
LISTING = f"{MD5}.dir"


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


def replaced(text: str | None, name: str, entry: LockEntry) -> str:
    """Give the new text of a dvc.lock with one entry replaced or appended."""
    file = LockFile(text, "dvc.lock")
    file.set(name, entry)
    return file.text
