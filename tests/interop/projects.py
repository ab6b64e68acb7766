"""Small DVC projects for the interop tests, as values: each shows one thing that DVC's files can say."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.interop.oracle import Oracle

DVC_GITIGNORE = "/config.local\n/tmp\n/cache\n"


@dataclass(frozen=True)
class Project:
    """A project before its first run.

    Attributes:
        name: what it shows; the test's id.
        pipeline: the text of the root's dvc.yaml.
        files: further files by path, text or bytes.
        executable: which of them get their execute bits.
        added: what is tracked by `dvc add`.
        edits: new contents for a second run; a path mapped to `None` is removed.

    """

    name: str
    pipeline: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    executable: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    edits: Mapping[str, str | bytes | None] = field(default_factory=dict)

    def write(self, root: Path, oracle: Oracle) -> None:
        """Lay the project into the new folder `root`: a git repository with everything committed."""
        git(root.parent, "init", "--quiet", "-b", "main", str(root))
        put(root, {".dvc/config": "", ".dvc/.gitignore": DVC_GITIGNORE})
        put(root, {"dvc.yaml": dedent(self.pipeline), **self.files} if self.pipeline else self.files)
        for path in self.executable:
            (root / path).chmod(0o755)
        if self.added:
            oracle.run(root, "add", "--quiet", *self.added)
        commit(root)

    def edit(self, root: Path) -> None:
        """Make the changes of the second round."""
        put(root, self.edits)


def put(root: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write `files` below `root`; remove those mapped to `None`."""
    for path, content in files.items():
        target = root / path
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def git(root: Path, *arguments: str) -> str:
    """Run git in `root`, which must succeed; give what it printed."""
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(root: Path, message: str = "Work") -> None:
    """Commit everything that git does not ignore, also where nothing changed."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)


def use_remote(root: Path, remote: Path) -> None:
    """Name `remote` as the project's default remote and commit everything."""
    config = f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = {remote}\n"
    put(root, {".dvc/config": config})
    commit(root)


def cloned(root: Path, folder: Path) -> Path:
    """Give a fresh clone of `root`, without any data."""
    git(folder, "clone", "--quiet", str(root), str(folder / "clone"))
    return folder / "clone"


CHAIN = Project(
    "chain",
    """\
    stages:
      clean:
        cmd: sort raw.txt > clean.txt
        deps: [raw.txt]
        outs: [clean.txt]
      train:
        cmd: cat clean.txt params.yaml > model.bin
        deps: [clean.txt]
        params: [train.rate, train.steps]
        outs: [model.bin]
      evaluate:
        cmd: wc -c model.bin > size.txt
        deps: [model.bin]
        outs: [size.txt]
    """,
    {"raw.txt": "b\na\n", "params.yaml": "train:\n  rate: 1e-3\n  steps: 10\nunused: x\n"},
    edits={"params.yaml": "train:\n  rate: 0.5\n  steps: 10\n"},
)

DIAMOND = Project(
    "diamond",
    """\
    stages:
      join:
        cmd: cat left right > joined
        deps: [right, left]
        outs: [joined]
      left:
        cmd: head -n 1 top > left
        deps: [top]
        outs: [left]
      right:
        cmd: tail -n 1 top > right
        deps: [top]
        outs: [right]
      top:
        cmd: cat seed > top
        deps: [seed]
        outs: [top]
    """,
    {"seed": "1\n2\n"},
    edits={"seed": "1\n3\n"},
)

FAN_OUT = Project(
    "fan-out",
    "stages:\n  source:\n    cmd: cat seed > source\n    deps: [seed]\n    outs: [source]\n"
    + "".join(
        f"  leaf{n}:\n    cmd: (cat source; echo {n}) > leaf{n}\n    deps: [source]\n    outs: [leaf{n}]\n"
        for n in (3, 1, 10, 2)
    ),
    {"seed": "s"},
    edits={"seed": "t"},
)

DIRECTORIES = Project(
    "directories of 0, 1 and 1,000 files",
    """\
    stages:
      none:
        cmd: mkdir none
        deps: [seed]
        outs: [none]
      one:
        cmd: mkdir -p one/deep/er && cp seed one/deep/er/file && mkdir one/empty
        deps: [seed]
        outs: [one]
      thousand:
        cmd: mkdir thousand && cd thousand && seq 1000 | split --lines 1 --suffix-length 4
        deps: [seed]
        outs: [thousand]
      count:
        cmd: ls none one thousand > count && wc -l many/*/* >> count
        deps: [none, one, thousand, many]
        outs: [count]
    """,
    {"seed": "s", **{f"many/{n // 10}/{n}": f"{n}\n" for n in range(50)}},
    edits={"many/9/new": "n", "many/0/1": None},
)

SHARED_FOLDER = Project(
    "outs inside a dep, deps inside an out",
    """\
    stages:
      parts:
        cmd: mkdir -p parts && cp seed parts/a && date +%Y > /dev/null && echo b > parts/b
        deps: [seed]
        outs: [parts]
      first:
        cmd: cat parts/a > data/first
        deps: [parts/a]
        outs: [data/first]
      second:
        cmd: cat parts/b > data/second
        deps: [parts/b]
        outs: [data/second]
      all:
        cmd: cat data/first data/second data/plain > all
        deps: [data/plain, data]
        outs: [all]
    """,
    {"seed": "s", "data/plain": "p"},
    edits={"seed": "t"},
)

ODD_NAMES = Project(
    "unicode and odd names",
    json.dumps(
        {
            "stages": {
                "préparer les données": {
                    "cmd": "mkdir 'les données' && cp 'a b.txt' 'les données/é' && cp 日本語.txt 'les données/x #1'",
                    "deps": ["a b.txt", "日本語.txt"],
                    "outs": ["les données"],
                },
                "a.b/c": {
                    "cmd": "cat \"it's\" 'q\"q' > '[x] #y'; cat 😀 'x: y' -- '-dash' > '!out'; "
                    "echo > '*star'; echo 1 > 0o7",
                    "deps": ["it's", 'q"q', "😀", "x: y", "-dash", "12345"],
                    "outs": ["[x] #y", "!out", "*star", "0o7"],
                },
                "yes": {"cmd": "cat 'null' > 'true'", "deps": ["null"], "outs": ["true"]},
            }
        },
        ensure_ascii=False,
    ),
    {
        **{
            name: f"{name}\n"
            for name in ("a b.txt", "日本語.txt", "it's", 'q"q', "😀", "x: y", "-dash", "12345", "null")
        },
    },
    edits={"a b.txt": "new", "null": "new"},
)

EXECUTABLE = Project(
    "executable bits",
    """\
    stages:
      make:
        cmd: ./tool.sh > program && chmod +x program
        deps: [tool.sh]
        outs: [program]
      use:
        cmd: mkdir made && ./program > made/result && chmod +x made/result
        deps: [program]
        outs: [made]
    """,
    {"tool.sh": "#!/bin/sh\necho '#!/bin/sh'\necho 'echo hi'\n"},
    executable=("tool.sh",),
    edits={"tool.sh": "#!/bin/sh\necho '#!/bin/sh'\necho 'echo ho'\n"},
)

METRICS = Project(
    "uncached metrics and plots",
    """\
    stages:
      evaluate:
        cmd: cp seed m.json; cp seed plot.csv; cp seed kept.json; cp seed cached.csv
        deps: [seed]
        metrics:
        - m.json:
            cache: false
        - kept.json
        plots:
        - plot.csv:
            cache: false
            x: a
        - cached.csv
      after:
        cmd: cat m.json > after
        deps: [m.json]
        outs:
        - after:
            cache: false
    """,
    {"seed": '{"a": 1}\n'},
    edits={"seed": '{"a": 2}\n'},
)

PERSIST = Project(
    "persist",
    """\
    stages:
      grow:
        cmd: cat seed >> log
        deps: [seed]
        outs:
        - log:
            persist: true
      read:
        cmd: wc -l log > lines
        deps: [log]
        outs: [lines]
    """,
    {"seed": "s\n"},
    edits={"seed": "t\n"},
)

TWO_FILES = Project(
    "two dvc.yaml files",
    """\
    stages:
      first:
        cmd: cat seed > first
        deps: [seed]
        outs: [first]
      last:
        cmd: cat sub/deep/second > last
        deps: [sub/deep/second]
        outs: [last]
    """,
    {
        "seed": "s",
        "sub/dvc.yaml": dedent(
            """\
            stages:
              second:
                cmd: cat ../first local > deep/second
                deps: [../first, local]
                params: [k]
                outs: [deep/second]
              first:
                cmd: cat ../seed > own
                deps: [../seed]
                outs: [own]
            """
        ),
        "sub/local": "l",
        "sub/params.yaml": "k: 1\n",
        "sub/deep/keep": "",
    },
    edits={"seed": "t", "sub/params.yaml": "k: 2\n"},
)

WDIR = Project(
    "wdir and spelled paths",
    """\
    stages:
      inside:
        cmd: cat in ../top > out
        wdir: w
        deps: [in, ../top]
        params: [p, other/more.json: [q]]
        outs: [./out]
      spelled:
        cmd: cat w/out ./top > y/o
        deps: [./w/out, ./top, x/]
        outs: [y//o]
    """,
    {"w/in": "i", "top": "t", "w/params.yaml": "p: 1", "w/other/more.json": '{"q": [1]}', "x/f": "f", "y/keep": ""},
    edits={"top": "u"},
)

COMMANDS = Project(
    "lists of commands, several lines, quotes",
    r"""
    stages:
      list:
        cmd:
        - echo 1 > list
        - cat seed >> list
        - |
          if true; then
            echo "a  script" >> list
          fi
        deps: [seed]
        outs: [list]
      lines:
        cmd: |
          cat seed > lines
          echo 'x: y' >> lines
        deps: [seed]
        outs: [lines]
      folded:
        cmd: >-
          cat seed
          > folded
        deps: [seed]
        outs: [folded]
      quotes:
        cmd: "echo 'it''s' \"a: b\" '#c' \\\\ > quotes"
        deps: [seed]
        outs: [quotes]
      flow: {cmd: 'echo {a} > flow', deps: [seed], outs: [flow]}
    """,
    {"seed": "s"},
    edits={"seed": "t"},
)

LONG_WORD = "/bin/" + "../bin/" * 20 + "echo"

WRAPPED = Project(
    "long commands that wrap",
    """\
    stages:
      options:
        cmd: echo {options} > options
        deps: [seed]
        outs: [options]
      word:
        cmd: {word} hi > word
        deps: [seed]
        outs: [word]
      quoted:
        cmd: "echo 'a: b' {options} > quoted"
        deps: [seed]
        outs: [quoted]
      doubled:
        cmd: "echo \\"it's: {options}\\" > doubled"
        deps: [seed]
        outs: [doubled]
      listed:
        cmd:
        - echo {options} > listed
        - echo 'x - {options}' >> listed
        deps: [seed]
        outs: [listed]
    """.replace("{options}", " ".join(f"--option-{n} {n}.{n}" for n in range(20))).replace("{word}", LONG_WORD),
    {"seed": "s"},
    edits={"seed": "t"},
)

PARAMS = Project(
    "params of YAML, JSON, TOML and Python files",
    """\
    stages:
      use:
        cmd: cat params.yaml conf.json > use
        params:
        - b
        - a.deep.list
        - a.deep.0
        - more.yml:
        - conf.json:
          - z
          - a.0.k
        - conf/whole.json: []
        outs: [use]
      only:
        cmd: cat conf.json > only
        params:
        - more.yml: [s, t, date like, yes]
        outs: [only]
      languages:
        cmd: cat conf.py conf.toml > languages
        params:
        - conf.py: [lr, shape, Train.name, Train.deep.x.1]
        - conf.toml:
        - conf/whole.py:
        outs: [languages]
    """,
    {
        "params.yaml": "a: {deep: {list: [1, 2.0, true, null, {x: 1e-7}], 0: zero}}\nb: 1e20\n",
        "conf.json": '{"z": 1.0, "a": [{"k": "é: x"}]}',
        "conf/whole.json": '{"n": null, "e": {}, "l": [], "s": "12345", "f": 1e-10}',
        "conf.py": "import os\n\nlr: float = 1e-3\nshape = (2, [3])\nclass Train:\n    name = 'é: x'\n"
        "    def __init__(self):\n        self.deep = {'x': (1, 2)}\n        self.home = os.environ['HOME']\n",
        "conf.toml": 'z = 1.0\nb.deep = [1e-7, \'a b\']\n[t]\nmany = """\ntwo\nlines"""\n[[u]]\nv = true\n[[u]]\n',
        "conf/whole.py": "b = ()\na = None\nclass C:\n    pass\n",
        "more.yml": "s: 'a  b: c'\nt: |\n  two\n  lines\ndate like: '2020-01-01'\n'yes': no\n",
    },
    edits={
        "params.yaml": "a: {deep: {list: [1, 2.0, true, null, {x: 2e-7}], 0: zero}}\nb: 1e20\n",
        "conf.py": "lr = 0.01\nshape = (2, [3])\nclass Train:\n    name = 'é: x'\n    deep = {'x': (1, 2)}\n",
    },
)

ADDED = Project(
    "files and directories of dvc add",
    """\
    stages:
      read:
        cmd: cat data.csv images/*/* > read
        deps: [data.csv, images, deep/one.txt]
        outs: [read]
    """,
    {"data.csv": "1,2\n", "images/a/1.png": "x", "images/b/2.png": "y", "deep/one.txt": "1"},
    added=("data.csv", "images", "deep/one.txt"),
    edits={"data.csv": "3,4\n", "images/c/3.png": "z"},
)

FOUND = Project(
    "what random projects found",
    """\
    stages:
      dep-twice:
        cmd: cat seed > dep-twice
        deps: [seed, ./seed, seed]
        outs: [dep-twice]
      params-file-without-params:
        cmd: cat seed > whole
        deps: [seed]
        params: [{empty.py: }]
        outs: [whole]
    """,
    {"seed": "s\n", "empty.py": "import os\n"},
    edits={"seed": "t\n"},
)

NO_INPUTS = Project(
    "stages without deps or outs",
    """\
    stages:
      outs-only:
        cmd: echo 1 > made
        outs: [made]
      deps-only:
        cmd: cat made
        deps: [made]
      params-only:
        cmd: cat params.yaml
        params: [p]
      described:
        desc: For people.
        cmd: cat made > described
        deps: [made]
        outs:
        - described:
            desc: Also for people.
            type: text
            labels: [x]
            meta: {k: v}
        meta: {owner: me}
    """,
    {"params.yaml": "p: 1\n"},
    edits={"params.yaml": "p: 2\n"},
)

DATASETS = Project(
    "datasets",
    """\
    datasets:
    - name: mine
      url: https://example.org/r.git
      type: dvc
      path: f
      rev: v1
    - {name: dir, url: s3://bucket/p, type: url, desc: passed over}
    - name: chain
      url: ds
      type: dc
    stages:
      use:
        cmd: cat seed > use
        deps: [ds://mine, seed, ds://chain, ds://dir]
        outs: [use]
      after:
        cmd: cat use > after
        deps: [use]
        outs: [after]
    """,
    {
        "seed": "s",
        "dvc.lock": dedent(
            """\
            schema: '2.0'
            datasets:
            - name: mine
              url: https://example.org/r.git
              type: dvc
              path: f
              rev: v1
              rev_lock: 75d2668f215ccda120e35c7cb215b7057c7f1d10
            - name: dir
              url: s3://bucket/p
              type: url
              meta:
                isdir: true
                size: 5
                nfiles: 2
              files:
              - relpath: b
                meta:
                  size: 2
                  version_id: v2
                  etag: '22'
              - relpath: a
                meta:
                  isexec: false
                  etag: '11'
                  size: 3
                  remote: storage
            - name: chain
              url: ds
              type: dc
              version: 3
              created_at: '2024-05-08T10:00:00+00:00'
            stages: {}
            """
        ),
    },
    edits={"seed": "t"},
)


TEMPLATED = Project(
    "templated",
    """\
    vars: [sizes.json, {folder: made}]
    stages:
      cut:
        foreach: ${parts}
        do:
          cmd: head -n ${item.lines} seed > ${folder}/${key} && echo ${item.flags} >> ${folder}/${key}
          deps: [seed]
          params: ['parts.${key}.lines']
          outs: ['${folder}/${key}']
      grid:
        matrix: {part: '${parts}', rate: [1e-3, true, '${default}']}
        cmd: (cat ${folder}/${item.part}; echo ${item.rate}) > 'out-${key}'
        deps: ['${folder}/${item.part}']
        outs: ['out-${key}': {persist: false}]
      inside:
        wdir: ${folder}
        vars: [local.yaml:word]
        cmd: echo ${word} ${sizes[-1]} \\${x:-none} > word
        outs: [word]
    """,
    {
        "seed": "1\n2\n3\n",
        "sizes.json": '{"sizes": [1, 2.50]}',
        "made/local.yaml": "word: it is\nunused: x\n",
        "params.yaml": (
            "default: a b\nparts:\n  one: {lines: 1, flags: {fast: true, slow: false, n: [1, a b]}}\n"
            "  two: {lines: 2, flags: {}}\n"
        ),
    },
    edits={
        "made/local.yaml": "word: was\n",
        "params.yaml": "default: 1.0\nparts: {two: {lines: 3, flags: {o: null}}}\n",
    },
)


PROJECTS = (
    DATASETS,
    CHAIN,
    DIAMOND,
    FAN_OUT,
    DIRECTORIES,
    SHARED_FOLDER,
    ODD_NAMES,
    EXECUTABLE,
    METRICS,
    PERSIST,
    TWO_FILES,
    WDIR,
    COMMANDS,
    WRAPPED,
    PARAMS,
    ADDED,
    NO_INPUTS,
    TEMPLATED,
    FOUND,
)
