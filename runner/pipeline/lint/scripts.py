"""Which files of the repository a command runs: interpreters, their options, and what wraps them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from runner.pipeline.lint import shell
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from runner.pipeline.lint.shell import Simple

    Exists = Callable[[str], bool]

SUFFIXES: Final = (".py", ".sh", ".bash", ".r", ".ipynb", ".jl", ".js", ".mjs", ".pl", ".rb", ".qmd", ".rmd", ".sql")
_VERSION: Final = regex(r"(?<=[A-Za-z])[\d.]+\Z")


@dataclass(frozen=True, slots=True)
class _Interpreter:
    """How a program finds its script among its words.

    Attributes:
        code: options after which code stands instead of a script.
        valued: options that take the next word.
        module: the option that names a module.

    """

    code: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    module: str = ""


_PYTHON: Final = _Interpreter(frozenset({"-c"}), frozenset({"-W", "-X"}), "-m")
_SHELL: Final = _Interpreter(frozenset({"-c"}), frozenset({"-o", "+o", "-O", "--rcfile", "--init-file"}))
_INTERPRETERS: Final[Mapping[str, _Interpreter]] = {
    **dict.fromkeys(("python", "pythonw", "pypy", "ipython"), _PYTHON),
    **dict.fromkeys(("sh", "bash", "zsh", "dash", "ksh", "source", "."), _SHELL),
    "rscript": _Interpreter(frozenset({"-e"})),
    "julia": _Interpreter(frozenset({"-e", "-E"}), frozenset({"-p", "-t", "-L", "-J", "-C", "-H"})),
    "node": _Interpreter(frozenset({"-e", "-p", "--eval", "--print"}), frozenset({"-r", "--require"})),
    "perl": _Interpreter(frozenset({"-e", "-E", "-n"}), frozenset({"-I"})),
    "ruby": _Interpreter(frozenset({"-e"}), frozenset({"-I", "-r"})),
}
_WRAPPERS: Final = frozenset(
    {
        *("env", "time", "nice", "nohup", "exec", "command", "stdbuf", "xvfb-run", "timeout", "ionice", "taskset"),
        *("poetry", "pipenv", "uv", "uvx", "pdm", "hatch", "rye", "pixi", "conda", "mamba", "micromamba"),
        *("accelerate", "torchrun", "deepspeed", "mpirun", "mpiexec", "horovodrun", "srun", "coverage", "kernprof"),
        *("papermill", "jupyter", "quarto", "marimo", "streamlit"),
    }
)


@dataclass(frozen=True, slots=True)
class Script:
    """A file that a command runs.

    Attributes:
        path: repository-relative.
        word: as the command names it; a module's name for `-m`.
        roots: folders from which it imports, repository-relative.

    """

    path: str
    word: str
    roots: tuple[str, ...] = ()


def scripts_of(commands: Iterable[Simple], wdir: str, exists: Exists) -> tuple[Script, ...]:
    """Give the scripts that commands run in `wdir`, in order, as far as they are in the repository."""
    found = (script for simple in commands for script in _of(simple, wdir, exists))
    return tuple(dict.fromkeys(found))


def _of(simple: Simple, wdir: str, exists: Exists) -> Iterator[Script]:
    if simple.folder is None:
        return
    folder = _join(wdir, simple.folder)
    added = [_join(folder, part) for part in simple.settings.get("PYTHONPATH", "").split(":") if shell.is_fixed(part)]
    roots = tuple(dict.fromkeys((folder, *added, _join(folder, "src"))))
    words = simple.words
    while words:
        name = _VERSION.sub("", posixpath.basename(words[0])).lower()
        if name in _INTERPRETERS:
            yield from _run(words[1:], _INTERPRETERS[name], folder, roots, exists)
            return
        if name not in _WRAPPERS:
            yield from _itself(words[0], folder, roots, exists)
            return
        words = _unwrapped(words[1:], folder, exists)


def _run(
    words: Sequence[str], interpreter: _Interpreter, folder: str, roots: tuple[str, ...], exists: Exists
) -> Iterator[Script]:
    """Find the script among the words after an interpreter."""
    rest = iter(words)
    for word in rest:
        if interpreter.module and (word == interpreter.module or _bundled(word, interpreter.module)):
            yield from _module(next(rest, ""), roots, exists)
            return
        if word in interpreter.code or any(_bundled(word, option) for option in interpreter.code):
            return
        if word in interpreter.valued:
            next(rest, None)
        elif not word.startswith(("-", "+")):
            path = _join(folder, word)
            if shell.is_fixed(word) and exists(path) and posixpath.splitext(word)[1]:
                yield Script(path, word, (posixpath.dirname(path) or ".", *roots[1:]))
            return


def _bundled(word: str, option: str) -> bool:
    """Whether several one-letter options in one word end with `option`, as in `-lc`."""
    return bool(re.fullmatch(rf"-[A-Za-z]+{option[1:]}", word)) and len(option) == len("-c")


def _module(name: str, roots: tuple[str, ...], exists: Exists) -> Iterator[Script]:
    inner = name.replace(".", "/")
    candidates = (_join(root, ending) for root in roots for ending in (f"{inner}.py", f"{inner}/__main__.py"))
    path = next((path for path in candidates if shell.is_fixed(name) and exists(path)), None)
    if path:
        yield Script(path, name, roots)


def _itself(word: str, folder: str, roots: tuple[str, ...], exists: Exists) -> Iterator[Script]:
    """Take a program of the repository, called by its path, for its own script."""
    path = _join(folder, word)
    if "/" in word and not word.startswith("/") and shell.is_fixed(word) and exists(path):
        yield Script(path, word, (posixpath.dirname(path) or ".", *roots[1:]))


def _unwrapped(words: Sequence[str], folder: str, exists: Exists) -> tuple[str, ...]:
    """Leave out what wraps a command, whatever its options are: up to an interpreter or a script that is there."""
    for number, word in enumerate(words):
        name = _VERSION.sub("", posixpath.basename(word)).lower()
        if name in _INTERPRETERS:
            return tuple(words[number:])
        if word.lower().endswith(SUFFIXES) and shell.is_fixed(word) and exists(_join(folder, word)):
            return (f"./{word}" if "/" not in word else word,)
    return ()


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
