"""Files that are wrong in one way each, with where the error has to point; and odd ones that have to work.

A text is text, bytes, or a function that makes something big. A case is keyed by its file and what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Text = str | bytes | Callable[[], str | bytes]

WORKS: Final = -1
"""In place of a line: nothing is wrong with it."""
ANYWHERE: Final = 0
"""In place of a line: the error names the file; a line would say nothing."""


@dataclass(frozen=True)
class Case:
    """One file of the project, as it should not be.

    Attributes:
        file: which file is replaced.
        name: what is wrong with it.
        text: its content.
        line: the line the error has to name, from 1; or `ANYWHERE`, or `WORKS`.

    """

    file: str
    name: str
    text: Text
    line: int

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        text = self.text() if callable(self.text) else self.text
        return text if isinstance(text, bytes) else text.encode()


PIPELINE: Final = """\
stages:
  fit:
    cmd: echo 1 > model
    deps: [data]
    params:
    - rate
    - conf.json: [a]
    - conf.toml: [a]
    - conf.py: [a]
    outs: [model]
"""
PROJECT: Final[Mapping[str, str]] = {
    "dvc.yaml": PIPELINE,
    "params.yaml": "rate: 1\n",
    "conf.json": '{"a": 1}',
    "conf.toml": "a = 1\n",
    "conf.py": "a = 1\n",
    "data": "d\n",
    "m.json": '{"score": 0.9}',
    "retrain.yaml": "gates:\n- metric: m.json:$.score\n  better: higher\n  at-least: 0.5\n",
}
_OUT: Final = "schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    outs:\n    - path: model\n"
_MD5: Final = "d41d8cd98f00b204e9800998ecf8427e"
_MEGABYTES: Final = 8 << 20


def _bomb() -> str:
    """Make a few lines that stand for ten billion values."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]" for n in range(9)]
    return "\n".join(lines) + "\n"


def _merges() -> str:
    """Make mappings that each hold the ones before by merge keys."""
    lines = ["a0: &a0 {x0: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join(f'*a{m}' for m in range(n))}], x{n}: 1}}" for n in range(1, 300)]
    return "\n".join(lines) + "\n"


# What is wrong with any YAML file, whatever it is for.
YAML: Final[dict[str, tuple[Text, int]]] = {
    "a number": ("1\n", 1),
    "a word": ("words\n", 1),
    "a sentence": ("Nothing to see here.\n", 1),
    "true": ("true\n", 1),
    "a date": ("2020-01-01\n", 1),
    "a list of numbers": ("- 1\n- 2\n", 1),
    "not closed": ("a: 1\nb: [1,\n", 3),
    "a quote not closed": ("a: 'x\n", 2),
    "double quotes not closed": ('a: 1\nb: "x\nc: 1\n', 4),
    "closed twice": ("a: [1]]\n", 1),
    "closed by another": ("a: [1}\n", 1),
    "cut in a key": ("a: 1\nb", 2),
    "cut in a word": ("a: &", 1),
    "not UTF-8": (b"a: 1\nb: \xff\xfe\n", ANYWHERE),
    "Latin-1": ("a: é\n".encode("latin-1"), ANYWHERE),
    "UTF-16": ("a: 1\n".encode("utf-16"), ANYWHERE),
    "binary": (bytes(range(256)), ANYWHERE),
    "a NUL": ("a: 1\nb: \0\n", 2),
    "NULs": ("\0" * 100, 1),
    "a control character": ("a: 1\nb: \x07\n", 2),
    "a deletion": ("a: \x7f\n", 1),
    "half a surrogate": ('a: "\\ud800"\n', 1),
    "an unknown escape": ('a: 1\nb: "\\q"\n', 2),
    "a cut escape": ('a: "\\x4"\n', 1),
    "a tab for blanks": ("a:\n\tb: 1\n", 2),
    "a tab first": ("\ta: 1\n", 1),
    "tabs deeper": ("a:\n  b:\n\t\tc: 1\n", 3),
    "dedented": ("a:\n    b: 1\n  c: 1\n", 3),
    "indented": ("a: 1\n  b: 1\n", 2),
    "a key in a value": ("a: b: c\n", 1),
    "a list in a mapping": ("a: 1\n- b\n", 2),
    "a mapping in a list": ("- b\na: 1\n", 2),
    "no blank after the colon": ("a: 1\nb:1\nc: 1\n", 2),
    "a key twice": ("a: 1\nb: 2\na: 3\n", 3),
    "a key twice inside": ("a: {b: 1, b: 2}\n", 1),
    "a key twice in two spellings": ("1: a\n0x1: b\n", 2),
    "an alias to nowhere": ("a: 1\nb: *nowhere\n", 2),
    "an alias to itself": ("a: &a [*a]\n", 1),
    "an alias bomb": (_bomb, 6),
    "a bomb of merges": (_merges, 17),
    "a merge of a number": ("a: 1\nb: {<<: 1}\n", 2),
    "an object of Python": ("a: !!python/object/apply:os.system ['echo pwned > pwned']\n", 1),
    "a name of Python": ("a: !!python/name:os.system\n", 1),
    "an unknown tag": ("a: 1\nb: !mine 1\n", 2),
    "a tag that does not fit": ("a: !!int x\n", 1),
    "a set": ("a: 1\nb: !!map [1]\n", 2),
    "a key that is a mapping": ("? {a: 1}\n: 2\n", 1),
    "deep lists": ("[" * 5000, 1),
    "deep mappings": ("{a: " * 2000, 1),
    "deep blocks": (lambda: "".join(f"{' ' * n}a:\n" for n in range(300)), 101),
    "two documents": ("a: 1\n---\nb: 2\n", 2),
    "a document and the end of one": ("a: 1\n...\nb: 2\n", 3),
    "marks of a conflict": ("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", 1),
    "marks of a conflict further down": ("x: 1\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", 2),
    "a directive": ("%YAML 3.0\n---\na: 1\n", 1),
    "a huge number": ("a: " + "9" * 5000 + "\n", 1),
    "a huge hexadecimal number": (f"a: 0x{'f' * 100_000}\n", 1),
    "a percent sign first": ("a: %d\n", 1),
    "an at sign first": ("a: @x\n", 1),
    "a backtick first": ("a: `x`\n", 1),
}

SOME_YAML: Final = dict(list(YAML.items())[::3])
"""A third of them, for the files that are read as dvc.yaml and params.yaml are: those have them all."""

# What is large: the reader of YAML is one, so two files stand for all.
LARGE_YAML: Final[dict[str, tuple[Text, int]]] = {
    "8 MB of list items": (lambda: "- 1\n" * (_MEGABYTES // 4), ANYWHERE),
    "8 MB of keys": (lambda: "".join(f"k{n}: {n}\n" for n in range(1_000_000)), ANYWHERE),
    "8 MB of brackets": (lambda: "[" * _MEGABYTES, 1),
    "8 MB in flow": (lambda: "[" + "1," * (_MEGABYTES // 2 - 2) + "1]", ANYWHERE),
    "8 MB of one word": (lambda: "a" * (_MEGABYTES - 1), 1),
    "more than 8 MB": (lambda: "#\n" * (_MEGABYTES // 2 + 1), ANYWHERE),
    "8 MB of anchors": (lambda: f"a: [{''.join(f'&a{n} x,' for n in range(_MEGABYTES // 14))}]", 1),
    "8 MB of aliases": (lambda: "a: &a x\nb: [" + "*a," * (_MEGABYTES // 3 - 8) + "]", 2),
    "8 MB of merges": (lambda: "a: &a {x: 1}\nb:\n" + "- {<<: *a}\n" * (_MEGABYTES // 11 - 8), ANYWHERE),
    "8 MB of an anchor": (lambda: "a: &" + "a" * (_MEGABYTES - 8) + " x", ANYWHERE),
    "8 MB in quotes, not closed": (lambda: 'a: "' + "x\n" * (_MEGABYTES // 2 - 4), ANYWHERE),
    "8 MB of tabs": (lambda: "a:" + "\t" * (_MEGABYTES - 8) + ": [", ANYWHERE),
    "8 MB of directives": (lambda: "%A b\n" * (_MEGABYTES // 5 - 4), ANYWHERE),
}

DVC_YAML: Final[dict[str, tuple[Text, int]]] = {
    "empty": ("", WORKS),
    "nothing": ("null\n", WORKS),
    "an empty mapping": ("{}\n", WORKS),
    "an empty list": ("[]\n", WORKS),
    "comments": ("# a\n# b\n", WORKS),
    "8 MB of comments": (lambda: "# x\n" * (_MEGABYTES // 4), WORKS),
    "8 MB of blank lines": (lambda: "\n" * _MEGABYTES, WORKS),
    "8 MB behind a stage": (lambda: PIPELINE + "\n# x" * (_MEGABYTES // 4 - 200), WORKS),
    "8 MB of a command": (lambda: f"stages:\n  a:\n    cmd: {'x' * (_MEGABYTES - 40)}\n    deps: y\n", 4),
    "carriage returns": (PIPELINE.replace("\n", "\r\n"), WORKS),
    "a byte order mark": ("\ufeff" + PIPELINE, WORKS),
    "no line break at the end": (PIPELINE.rstrip(), WORKS),
    "a mark of the document": (f"---\n{PIPELINE}", WORKS),
    "no stages": ("stages:\n", 1),
    "stages in a list": ("stages:\n- cmd: x\n", 1),
    "stages of text": ("stages: all\n", 1),
    "an unknown section": ("stages: {}\nstage: {}\n", 2),
    "a stage of nothing": ("stages:\n  a:\n", 2),
    "a stage of nothing beside expressions": ("vars: [x: 1]\nstages:\n  a:\n  b:\n    cmd: ${x}\n", 3),
    "a stage of text beside expressions": ("vars: [x: 1]\nstages:\n  a: echo matrix\n  b:\n    cmd: ${x}\n", 3),
    "a stage of text": ("stages:\n  a: echo\n", 2),
    "a stage that is a list": ("stages:\n  a: []\n", 2),
    "a stage without a command": ("stages:\n  a:\n    deps: [x]\n", 2),
    "a stage without a name": ('stages:\n  "": {cmd: x}\n', 2),
    "a stage named by a number": ("stages:\n  1: {cmd: x}\n", 2),
    "a stage named by nothing": ("stages:\n  ~: {cmd: x}\n", 2),
    "a stage with an @": ("stages:\n  a@b: {cmd: x}\n", 2),
    "a stage twice": ("stages:\n  a: {cmd: x}\n  a: {cmd: y}\n", 3),
    "a command that is a number": ("stages:\n  a:\n    cmd: 1\n", 3),
    "a command that is nothing": ("stages:\n  a:\n    cmd:\n", 3),
    "a command that is a mapping": ("stages:\n  a:\n    cmd: {x: 1}\n", 3),
    "a command of no number": ("stages:\n  a:\n    cmd: .inf\n", 3),
    "a misspelt key": ("stages:\n  a:\n    cmd: x\n    dep: [y]\n", 4),
    "deps of text": ("stages:\n  a:\n    cmd: x\n    deps: y\n", 4),
    "deps of numbers": ("stages:\n  a:\n    cmd: x\n    deps:\n    - 1\n", 5),
    "deps of which one is a number": ("stages:\n  a:\n    cmd: x\n    deps:\n    - y\n    - 1\n    - z\n", 6),
    "commands of which one is nothing": ("stages:\n  a:\n    cmd:\n    - x\n    -\n", 5),
    "an unknown variable among many": (
        lambda: (
            "vars:\n- z: 1\n" + "".join(f"  v{n}: 1\n" for n in range(50_000)) + "stages: {a: {cmd: '${nowhere}'}}\n"
        ),
        50_003,
    ),
    "a mistake in each of many stages": (
        lambda: "stages:\n" + "".join(f"  s{n}:\n    cmd: x\n    dep: y\n" for n in range(5_000)),
        4,
    ),
    "deps of nothing": ("stages:\n  a:\n    cmd: x\n    deps:\n", 4),
    "deps of mappings": ("stages:\n  a:\n    cmd: x\n    deps: [{path: y}]\n", 4),
    "an empty dep": ("stages:\n  a:\n    cmd: x\n    deps: ['']\n", 4),
    "a dep with a line break": ('stages:\n  a:\n    cmd: x\n    deps: ["a\\nb"]\n', 4),
    "a dep outside": ("stages:\n  a:\n    cmd: x\n    deps: [../../x]\n", 4),
    "a DVC file as dep": ("stages:\n  a:\n    cmd: x\n    deps: [x.dvc]\n", 4),
    "outs of text": ("stages:\n  a:\n    cmd: x\n    outs: y\n", 4),
    "outs of numbers": ("stages:\n  a:\n    cmd: x\n    outs: [1]\n", 4),
    "an out outside": ("stages:\n  a:\n    cmd: x\n    outs: [/etc/passwd]\n", 4),
    "an out inside .git": ("stages:\n  a:\n    cmd: x\n    outs: [.git/config]\n", 4),
    "an out inside .dvc": ("stages:\n  a:\n    cmd: x\n    outs: [.dvc/config]\n", 4),
    "an unknown flag": ("stages:\n  a:\n    cmd: x\n    outs: [{y: {cached: true}}]\n", 4),
    "a flag in words": ("stages:\n  a:\n    cmd: x\n    outs:\n    - y:\n        cache: no\n", 6),
    "flags of nothing": ("stages:\n  a:\n    cmd: x\n    outs: [{y: }]\n", 4),
    "an out twice": ("stages:\n  a:\n    cmd: x\n    outs: [y]\n  b:\n    cmd: x\n    outs: [y]\n", 7),
    "an out as metric too": ("stages:\n  a:\n    cmd: x\n    outs: [y]\n    metrics: [y]\n", 4),
    "an out in an out": ("stages:\n  a:\n    cmd: x\n    outs: [y]\n  b:\n    cmd: x\n    outs: [y/z]\n", 7),
    "an out that is read": ("stages:\n  a:\n    cmd: x\n    deps: [y]\n    outs: [y]\n", 5),
    "a circle": ("stages:\n  a: {cmd: x, deps: [p], outs: [q]}\n  b: {cmd: x, deps: [q], outs: [p]}\n", 2),
    "params of text": ("stages:\n  a:\n    cmd: x\n    params: rate\n", 4),
    "params of numbers": ("stages:\n  a:\n    cmd: x\n    params: [1]\n", 4),
    "params of a file without a list": ("stages:\n  a:\n    cmd: x\n    params: [{f.yaml: a}]\n", 4),
    "a working directory that is a list": ("stages:\n  a:\n    cmd: x\n    wdir: []\n", 4),
    "a working directory outside": ("stages:\n  a:\n    cmd: x\n    wdir: ../..\n", 4),
    "frozen in words": ("stages:\n  a:\n    cmd: x\n    frozen: yes\n", 4),
    "a description that is a number": ("stages:\n  a:\n    cmd: x\n    desc: 1\n", 4),
    "metrics at the top that are a mapping": ("metrics: {m.json: 1}\n", 1),
    "plots at the top that are a mapping": ("plots: {p.csv: {}}\n", 1),
    "artifacts that are a list": ("artifacts: []\n", 1),
    "vars that are a mapping": ("vars: {a: 1}\n", 1),
    "vars of numbers": ("vars: [1]\n", 1),
    "vars from nowhere": ("vars:\n- nowhere.yaml\n", 2),
    "vars with expressions": ("vars:\n- a: 1\n- b: ${a}\n", 3),
    "vars that say a variable again": ("vars:\n- rate: 2\n", 2),
    "an unknown variable": ("stages:\n  a:\n    cmd: echo ${nowhere}\n", 3),
    "an unknown variable in a dep": ("stages:\n  a:\n    cmd: x\n    deps:\n    - y\n    - ${nowhere}\n", 6),
    "an unknown variable in an out": ("stages:\n  a:\n    cmd: x\n    outs:\n    - ${nowhere}: {cache: false}\n", 5),
    "an empty expression": ("stages:\n  a:\n    cmd: echo ${}\n", 3),
    "an expression that is none": ("stages:\n  a:\n    cmd: echo ${a..b}\n", 3),
    "a mapping in a path": ("vars: [{m: {a: 1}}]\nstages:\n  a:\n    cmd: x\n    deps: ['${m}']\n", 5),
    "a foreach without do": ("stages:\n  a:\n    foreach: [1]\n", 2),
    "a do without foreach": ("stages:\n  a:\n    do: {cmd: x}\n", 2),
    "a foreach over a number": ("stages:\n  a:\n    foreach: 1\n    do: {cmd: x}\n", 3),
    "a foreach over text": ("stages:\n  a:\n    foreach: abc\n    do: {cmd: x}\n", 3),
    "a foreach over nothing known": ("stages:\n  a:\n    foreach: ${nowhere}\n    do: {cmd: x}\n", 3),
    "a foreach beside a command": ("stages:\n  a:\n    foreach: [1]\n    do: {cmd: x}\n    cmd: x\n", 5),
    "a foreach in a foreach": ("stages:\n  a:\n    foreach: [1]\n    do:\n      foreach: [1]\n      do: {cmd: x}\n", 5),
    "a foreach that makes an out twice": ("stages:\n  a:\n    foreach: [1, 2]\n    do: {cmd: x, outs: [y]}\n", 4),
    "a foreach over an @": ("stages:\n  a:\n    foreach: [x@y]\n    do: {cmd: x}\n", 3),
    "a matrix of a number": ("stages:\n  a:\n    matrix: {x: 1}\n    cmd: x\n", 3),
    "a matrix that is a list": ("stages:\n  a:\n    matrix: [1]\n    cmd: x\n", 3),
    "an empty matrix": ("stages:\n  a:\n    matrix: {}\n    cmd: x\n", 3),
    "a matrix of more stages than fit": (
        "stages:\n  a:\n    matrix: {"
        + ", ".join(f"x{n}: [1,2,3,4,5,6,7,8,9,10]" for n in range(9))
        + "}\n    cmd: x\n",
        3,
    ),
    "a foreach of a foreach of an alias bomb": (f"vars:\n- {_bomb().splitlines()[0]}\n  b: [*a, *nowhere]\n", 3),
}

LOCK: Final[dict[str, tuple[Text, int]]] = {
    "an empty lock": ("", ANYWHERE),
    "a lock of nothing": ("null\n", ANYWHERE),
    "an empty mapping": ("{}\n", 1),
    "no schema": ("stages: {}\n", 1),
    "an old schema": ("schema: '1.0'\n", 1),
    "a schema that is a number": ("schema: 2.0\n", 1),
    "the layout of the first locks": (f"fit:\n  cmd: x\n  outs: [{{path: model, md5: {_MD5}}}]\n", 1),
    "only a schema": ("schema: '2.0'\n", WORKS),
    "no stages": ("schema: '2.0'\nstages: {}\n", WORKS),
    "carriage returns": ("schema: '2.0'\r\nstages: {}\r\n", WORKS),
    "a byte order mark": ("\ufeffschema: '2.0'\n", WORKS),
    "stages of nothing": ("schema: '2.0'\nstages:\n", 2),
    "stages in a list": ("schema: '2.0'\nstages: []\n", 2),
    "an unknown section": ("schema: '2.0'\nextra: 1\n", 2),
    "a stage of nothing": ("schema: '2.0'\nstages:\n  fit:\n", 3),
    "a stage without a command": ("schema: '2.0'\nstages:\n  fit: {}\n", 3),
    "a command that is a number": ("schema: '2.0'\nstages:\n  fit:\n    cmd: 1\n", 4),
    "an unknown key": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    wdir: y\n", 5),
    "outs of text": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    outs: model\n", 5),
    "an out without a path": (f"schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    outs:\n    - md5: {_MD5}\n", 6),
    "an md5 that is a number": (
        f"{_OUT}      md5: 12345678901234567890123456789012\n",
        7,
    ),
    "an md5 that is too short": (
        f"{_OUT}      md5: ab\n",
        7,
    ),
    "an md5 that leads elsewhere": (
        f"{_OUT}      hash: md5\n      md5: ../../../etc/passwd\n",
        8,
    ),
    "a size that is a word": (
        f"{_OUT}      size: big\n",
        7,
    ),
    "a size below nothing": (
        f"{_OUT}      md5: {_MD5}\n      size: -1\n",
        WORKS,
    ),
    "params of text": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    params: rate\n", 5),
    "params in a list": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    params:\n      params.yaml: [rate]\n", 6),
    "torn": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    outs:\n    - pa", 6),
    "torn in a quote": ("schema: '2.0'\nstages:\n  fit:\n    cmd: 'ec", 4),
    "a stage twice": ("schema: '2.0'\nstages:\n  fit:\n    cmd: x\n  fit:\n    cmd: y\n", 5),
    "marks of a conflict in a hash": (
        "schema: '2.0'\nstages:\n  fit:\n    cmd: x\n<<<<<<< HEAD\n    outs: []\n=======\n    outs: []\n>>>>>>> b\n",
        5,
    ),
}

DATA: Final[dict[str, tuple[Text, int]]] = {
    "empty": ("", WORKS),
    "nothing": ("null\n", WORKS),
    "carriage returns": (f"outs:\r\n- md5: {_MD5}\r\n  hash: md5\r\n  path: new\r\n", WORKS),
    "a byte order mark": (f"\ufeffouts:\n- md5: {_MD5}\n  hash: md5\n  path: new\n", WORKS),
    "outs of text": ("outs: new\n", 1),
    "outs of nothing": ("outs:\n", WORKS),
    "an out of text": ("outs:\n- new\n", 2),
    "an out without a path": (f"outs:\n- md5: {_MD5}\n", 2),
    "a path that is a number": (f"outs:\n- md5: {_MD5}\n  path: 1\n", 3),
    "an empty path": (f"outs:\n- md5: {_MD5}\n  path: ''\n", 3),
    "a path outside": (f"outs:\n- md5: {_MD5}\n  path: ../../new\n", 3),
    "an md5 that is a number": ("outs:\n- md5: 12345678901234567890123456789012\n  path: new\n", 2),
    "an md5 that is too short": ("outs:\n- md5: ab\n  path: new\n", 2),
    "an md5 that is none": ("outs:\n- md5: zzz/../../x\n  hash: md5\n  path: new\n", 2),
    "an unknown key": (f"outs:\n- md5: {_MD5}\n  path: new\n  sha: 1\n", 4),
    "an unknown key at the top": (f"ouths: []\nouts:\n- md5: {_MD5}\n  path: new\n", 1),
    "a size that is a word": (f"outs:\n- md5: {_MD5}\n  size: big\n  path: new\n", 3),
    "frozen in words": (f"frozen: yes\nouts:\n- md5: {_MD5}\n  path: new\n", 1),
    "a working directory that is a number": (f"wdir: 1\nouts:\n- md5: {_MD5}\n  path: new\n", 1),
    "what a stage makes": (f"outs:\n- md5: {_MD5}\n  path: model\n", 2),
    "torn": ("outs:\n- md5: d41d8c\n  pa", 3),
    "marks of a conflict": (f"outs:\n<<<<<<< HEAD\n- md5: {_MD5}\n=======\n- md5: {_MD5}\n>>>>>>> b\n  path: new\n", 2),
}

PARAMS: Final[dict[str, tuple[Text, int]]] = {
    "nothing of the key": ("other: 1\n", WORKS),
    "nothing": ("", WORKS),
    "carriage returns": ("rate: 1\r\n", WORKS),
    "a byte order mark": ("\ufeffrate: 1\n", WORKS),
    "a number that is none": ("rate: .nan\n", WORKS),
    "a number without end": ("rate: .inf\n", WORKS),
    "a tracked date": ("a: 1\nrate: 2020-01-01\n", ANYWHERE),
    "a date that nobody asks for": ("rate: 1\nborn: 2020-01-01 10:00:00\n", ANYWHERE),
    "a deep date": ("rate: 1\na:\n- b: 2020-01-01\n", ANYWHERE),
    "500,000 numbers": (lambda: "rate: 1\nb:\n" + "- 0.5\n" * 499_000, WORKS),
}

CONF_JSON: Final[dict[str, tuple[Text, int]]] = {
    "nothing": ("", 1),
    "not closed": ('{"a": 1,\n', 2),
    "a comma too many": ('{\n"a": 1,\n}', 3),
    "comments": ('// no\n{"a": 1}', 1),
    "single quotes": ("{'a': 1}", 1),
    "two documents": ('{"a": 1}\n{"a": 2}\n', 2),
    "a list": ("[1]", WORKS),
    "a number that is none": ('{"a": NaN}', WORKS),
    "a line break in text": ('{"a": "x\ny"}', 1),
    "not UTF-8": (b'{"a": "\xff"}', ANYWHERE),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ANYWHERE),
    "a byte order mark": ('\ufeff{"a": 1}', WORKS),
    "a NUL": ('{"a": "\0"}', 1),
    "a control character": ('{"a": "\x07"}', 1),
    "half a surrogate": ('{"a": "\\ud800"}', ANYWHERE),
    "deep": ("[" * 100_000, ANYWHERE),
    "deep mappings": ('{"a":' * 100_000, ANYWHERE),
    "a huge number": ('{"a": ' + "9" * 5000 + "}", ANYWHERE),
    "a huge exponent": ('{"a": 1e999999}', WORKS),
    "marks of a conflict": ('<<<<<<< HEAD\n{"a": 1}\n=======\n{"a": 2}\n>>>>>>> b\n', 1),
    "binary": (bytes(range(256)), ANYWHERE),
    "a word": ("words", 1),
    "a number of 5,000 digits": ('{"b": ' + "9" * 5000 + "}", ANYWHERE),
    "200,000 numbers": (lambda: '{"a": 1, "b": [' + "0.123456, " * 200_000 + "1]}", WORKS),
    "200,000 keys": (lambda: '{"a": 1' + "".join(f',"k{n}":{n}' for n in range(200_000)) + "}", WORKS),
    "16 MB of numbers": (lambda: '{"a": [' + "1," * (8 << 20) + "1]}", ANYWHERE),
    "16 MB of lists": (lambda: "[" + "[]," * (5 << 20) + "1]", ANYWHERE),
    "16 MB of text": (lambda: '{"a": "' + "x" * (16 << 20) + '"}', WORKS),
    "16 MB of blanks": (lambda: '{"a": 1}' + "\n" * (16 << 20), WORKS),
    "16 MB of digits": (lambda: '{"a": 0.' + "1" * (16 << 20) + "}", WORKS),
}

CONF_TOML: Final[dict[str, tuple[Text, int]]] = {
    "nothing": ("", WORKS),
    "no value": ("b = 1\na =\n", 2),
    "no quotes": ("a = x\n", 1),
    "a key twice": ("a = 1\na = 2\n", ANYWHERE),
    "a table twice": ("a = 1\n[b]\n[b]\n", ANYWHERE),
    "not closed": ("a = [1,\n", ANYWHERE),
    "text not closed": ('a = "x\n', ANYWHERE),
    "yaml": ("a: 1\n", 1),
    "a tracked date": ("a = 2020-01-01\n", ANYWHERE),
    "not UTF-8": (b'a = "\xff"', ANYWHERE),
    "a NUL": ('a = "\0"\n', 1),
    "deep": ("a = " + "[" * 5000, ANYWHERE),
    "a huge number": (f"a = {'9' * 5000}\n", ANYWHERE),
    "marks of a conflict": ("<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> b\n", 1),
    "carriage returns": ("a = 1\r\n", WORKS),
    "a megabyte of numbers": (lambda: "a = [" + "1," * ((1 << 19) - 4) + "]\n", WORKS),
    "a megabyte of blank lines": (lambda: "\n" * ((1 << 20) - 8) + "a = 1\n", WORKS),
    "16 MB of numbers": (lambda: "a = [" + "1," * (8 << 20) + "]\n", ANYWHERE),
}

CONF_PY: Final[dict[str, tuple[Text, int]]] = {
    "nothing": ("", WORKS),
    "not closed": ("b = 1\na = (\n", 2),
    "a word": ("a = = 1\n", 1),
    "indented": ("  a = 1\n", 1),
    "a tab": ("class a:\n    b = 1\n\tc = 1\n", 3),
    "not UTF-8": (b"a = '\xff'\n", ANYWHERE),
    "a NUL": ("a = '\0'\n", ANYWHERE),
    "code": ("import os\nos.system('echo pwned > pwned')\na = os.system('echo pwned > pwned')\n", WORKS),
    "deep": ("a = " + "[" * 1000 + "]" * 1000 + "\n", ANYWHERE),
    "deep sums": ("a = " + "-" * 50_000 + "1\n", ANYWHERE),
    "a huge number": (f"a = {'9' * 5000}\n", ANYWHERE),
    "a huge power": ("a = 9 ** 9 ** 9\n", WORKS),
    "a huge product": ("a = 'x' * 10 ** 12\n", WORKS),
    "a set": ("a = {1, 2}\n", ANYWHERE),
    "bytes": ("a = b'x'\n", ANYWHERE),
    "marks of a conflict": ("<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> b\n", 1),
    "16 MB of a list": (lambda: "a = [" + "1," * (_MEGABYTES // 2 - 4) + "]\n", ANYWHERE),
}

CONFIG: Final[dict[str, tuple[Text, int]]] = {
    "empty": ("", WORKS),
    "carriage returns": ("[core]\r\n    analytics = false\r\n", WORKS),
    "a byte order mark": ("\ufeff[core]\n    analytics = false\n", WORKS),
    "a section not closed": ("[core\n    remote = x\n", 1),
    "a line without a value": ("[core]\n    remote\n", 2),
    "a value before any section": ("remote = x\n", 1),
    "an unknown option": ("[core]\n    remotes = x\n", 2),
    "a section twice": ("[core]\n    remote = x\n[core]\n    remote = y\n", 3),
    "an option twice": ("[core]\n    remote = x\n    remote = y\n", 3),
    "a remote that is not there": ("[core]\n    remote = nowhere\n", 2),
    "a remote with an unknown option": ("['remote \"r\"']\n    url = ../x\n    nope = 1\n", 3),
    "a boolean in words": ("[core]\n    autostage = yes\n", 2),
    "a number in words": ("['remote \"r\"']\n    url = ../x\n    jobs = many\n", 3),
    "a wrong kind of link": ("[cache]\n    type = magic\n", 2),
    "a comment with a semicolon": ("[core]\n; note\n", 2),
    "a value in two lines": ('[core]\n    remote = """x\n', 2),
    "an interpolation to nowhere": ("['remote \"r\"']\n    url = s3://%(nowhere)s/x\n", 2),
    "not UTF-8": (b"[core]\n    remote = \xff\n", ANYWHERE),
    "UTF-16": ("[core]\n".encode("utf-16"), ANYWHERE),
    "binary": (bytes(range(256)), ANYWHERE),
    "a NUL": ("[core]\n    remote = \0\n", ANYWHERE),
    "marks of a conflict": ("<<<<<<< HEAD\n[core]\n=======\n[core]\n>>>>>>> b\n", 1),
    "yaml": ("core:\n  remote: x\n", 1),
    "an unknown section": ("[core]\n[cores]\n    remote = x\n", 2),
    "a remote without url": ("['remote \"r\"']\n    region = x\n", 1),
    "a remote without url or anything": ("[core]\n['remote \"r\"']\n", 2),
    "a remote without a name": ("['remote']\n    url = ../x\n", 1),
    "an interpolation of itself": ("['remote \"r\"']\n    url = s3://%(url)s/x\n", 2),
    "an interpolation that is not closed": ("['remote \"r\"']\n    url = s3://%(url\n", WORKS),
    "a section in a section": ("[core]\n[[deep]]\n    a = 1\n", 2),
    "sections in sections": (lambda: "\n".join(f"{'[' * n}a{']' * n}" for n in range(1, 5_000)), ANYWHERE),
    "sections in sections, few": (lambda: "\n".join(f"{'[' * n}a{']' * n}" for n in range(1, 500)), 1),
    "a quarter of a megabyte of sections": (lambda: "".join(f"[a{n}]\n" for n in range(26_000)), 1),
    "16 MB of one line": (lambda: "[core]\nremote = " + "x" * _MEGABYTES, ANYWHERE),
}

DVCIGNORE: Final[dict[str, tuple[Text, int]]] = {
    "empty": ("", WORKS),
    "carriage returns": ("*.tmp\r\n", WORKS),
    "a byte order mark": ("\ufeff*.tmp\n", WORKS),
    "not UTF-8": (b"*.tmp\n\xff\n", ANYWHERE),
    "a class not closed": ("[a\n", WORKS),
    "only a negation": ("!\n", 1),
    "stars between": ("*a" * 50 + "b\n", WORKS),
    "a range that goes downwards": ("*.tmp\n[z-a]\n", 2),
    "a bracket in brackets": ("[[a]\n", WORKS),
    "1,000 stars": ("*" * 1_000 + "b\n", WORKS),
    "stars between folders": ("**/*a*/" * 200 + "b\n", WORKS),
    "a pattern longer than any path": ("x" * 5_000 + "\n", 1),
    "4,000 patterns": (lambda: "".join(f"*.a{n}\n" for n in range(4_000)), WORKS),
    "16 MB of patterns": (lambda: "*.tmp\n" * (3 << 20), ANYWHERE),
    "16 MB of one pattern": (lambda: "*" * (16 << 20), ANYWHERE),
    "a megabyte of patterns": (lambda: "a\n" * (1 << 19), 5_001),
    "a megabyte of blank lines": (lambda: "\n" * (1 << 20), WORKS),
}

GATES: Final[dict[str, tuple[Text, int]]] = {
    "an unknown key": ("gate: []\n", 1),
    "gates of text": ("gates: all\n", 1),
    "gates of numbers": ("gates: [1]\n", 1),
    "a gate of nothing": ("gates:\n- \n", 2),
    "a gate without a metric": ("gates:\n- better: higher\n", 2),
    "a gate without a limit": ("gates:\n- metric: m.json:$.score\n", 2),
    "a limit that is a word": ("gates:\n- metric: m.json:$.score\n  at-least: high\n", 3),
    "a limit that is none": ("gates:\n- metric: m.json:$.score\n  at-least: .nan\n", 2),
    "a limit that is a date": ("gates:\n- metric: m.json:$.score\n  at-least: 2020-01-01\n", 3),
    "a path that is none": ("gates:\n- metric: 'm.json:$..['\n  at-least: 1\n", 2),
    "a metric outside": ("gates:\n- metric: ../../m.json:$.score\n  at-least: 1\n", 2),
    "an unknown direction": ("gates:\n- metric: m.json:$.score\n  better: bigger\n", 3),
    "an unknown key of a gate": ("gates:\n- metric: m.json:$.score\n  at-least: 1\n  at_most: 2\n", 4),
    "jobs in words": ("jobs: many\n", 1),
    "jobs without end": (f"jobs: {'9' * 5000}\n", 1),
    "a push that is none": ("push: sometimes\n", 1),
    "carriage returns": ("gates:\r\n- metric: m.json:$.score\r\n  better: higher\r\n  at-least: 0.5\r\n", WORKS),
    "a byte order mark": ("\ufeffgates:\n- metric: m.json:$.score\n  better: higher\n  at-least: 0.5\n", WORKS),
}

METRICS: Final[dict[str, tuple[Text, int]]] = {
    "nothing": ("", ANYWHERE),
    "not closed": ('{"score": 1', ANYWHERE),
    "a list": ("[1]", ANYWHERE),
    "another metric": ('{"loss": 1}', ANYWHERE),
    "a word": ('{"score": "high"}', ANYWHERE),
    "nothing in it": ('{"score": null}', ANYWHERE),
    "no number": ('{"score": NaN}', ANYWHERE),
    "true": ('{"score": true}', ANYWHERE),
    "a mapping": ('{"score": {"x": 1}}', ANYWHERE),
    "deep": ("[" * 100_000, ANYWHERE),
    "a huge number": ('{"score": ' + "9" * 5000 + "}", ANYWHERE),
    "not UTF-8": (b'{"score": "\xff"}', ANYWHERE),
    "binary": (bytes(range(256)), ANYWHERE),
    "marks of a conflict": ('<<<<<<< HEAD\n{"score": 1}\n=======\n{"score": 2}\n>>>>>>> b\n', ANYWHERE),
    "a byte order mark": ('\ufeff{"score": 0.9}', WORKS),
    "20,000 numbers": (lambda: '{"score": 0.9' + "".join(f',"k{n}":{n}' for n in range(20_000)) + "}", WORKS),
    "16 MB of numbers": (lambda: '{"score": [' + "1," * (8 << 20) + "1]}", ANYWHERE),
    "16 MB of keys": (lambda: '{"score": 0.9' + "".join(f',"k{n}":{n}' for n in range(1 << 20)) + "}", ANYWHERE),
    "carriage returns": ('{\r\n"score": 0.9\r\n}\r\n', WORKS),
}

REPORT: Final[dict[str, tuple[Text, int]]] = {
    "nothing": ("", ANYWHERE),
    "a number": ("1\n", ANYWHERE),
    "a list": ("[]", ANYWHERE),
    "an empty mapping": ("{}", ANYWHERE),
    "not closed": ('{"schema": 1', ANYWHERE),
    "another schema": ('{"schema": 99}', ANYWHERE),
    "too little": ('{"schema": 1, "verdict": "passed"}\n', ANYWHERE),
    "wrong types": ('{"schema": 1, "version": 1, "verdict": [], "exit_code": "x", "head": 2}', ANYWHERE),
    "deep": ("[" * 100_000, ANYWHERE),
    "not UTF-8": (b"\xff", ANYWHERE),
}

# A hexadecimal number of params may be as long as it likes; what is no mapping is told at its beginning.
_PARAMS_LINES: Final = {"a huge hexadecimal number": WORKS, "8 MB of an anchor": WORKS}
_TABLES: Final = {
    "dvc.yaml": {**YAML, **LARGE_YAML, **DVC_YAML},
    "dvc.lock": {**SOME_YAML, **LOCK},
    "new.dvc": {**SOME_YAML, **DATA},
    "params.yaml": {
        name: (text, _PARAMS_LINES.get(name, line)) for name, (text, line) in {**YAML, **LARGE_YAML, **PARAMS}.items()
    },
    "retrain.yaml": {**SOME_YAML, **GATES},
    "conf.json": CONF_JSON,
    "conf.toml": CONF_TOML,
    "conf.py": CONF_PY,
    ".dvc/config": CONFIG,
    ".dvcignore": DVCIGNORE,
    "m.json": METRICS,
    "report.json": REPORT,
}


def cases() -> Iterator[Case]:
    """Give all of them."""
    return chain.from_iterable(
        (Case(file, name, text, line) for name, (text, line) in table.items()) for file, table in _TABLES.items()
    )


def verb(file: str) -> str:
    """Say which verb reads the file."""
    return {"retrain.yaml": "gate", "m.json": "gate", "report.json": "report"}.get(file, "plan")
