"""Which files of the repository a Python source imports, by the folders it would be run from. Runs nothing."""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING

from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that a source imports from a file of the repository.

    Attributes:
        path: the file, repository-relative.
        name: the name in that file; empty where the module itself is imported.
        known_as: the name in the source.

    """

    path: str
    name: str
    known_as: str


def imported(text: str, roots: Sequence[str], exists: Callable[[str], bool]) -> tuple[Imported, ...]:
    """Give what a source imports itself from the repository; nothing of a text that is not Python.

    Args:
        text: the source.
        roots: folders where modules are looked for, in order, repository-relative.
        exists: whether there is a file.

    """
    if "import" not in text:
        return ()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found = ((module, name, known_as, _file(module, roots, exists)) for module, name, known_as in _names(tree))
    return tuple(dict.fromkeys(Imported(path, name, known_as) for _, name, known_as, path in found if path))


def _names(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield module, name and local name of each import; `from a import b` may mean a module `a.b` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, "", alias.asname or alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.module, alias.name, alias.asname or alias.name
                yield f"{node.module}.{alias.name}", "", alias.asname or alias.name


def _file(module: str, roots: Sequence[str], exists: Callable[[str], bool]) -> str:
    inner = module.replace(".", "/")
    places = (posixpath.normpath(posixpath.join(root, f"{inner}.py")) for root in roots)
    return next((place for place in places if exists(place)), "")
