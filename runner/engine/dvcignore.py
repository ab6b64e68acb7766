""".dvcignore: which paths DVC does not see, decided as DVC decides it. Reads through the functions it is given.

The last pattern that matches wins; what lies in a hidden folder cannot be brought back. A file in a sub-folder is
stronger than those above it, and its patterns speak of that folder alone. pathspec turns a pattern into a regular
expression; the rest differs from git in small ways (`_anchored`), and hashes of directories depend on them.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError, Location
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NAME: Final = ".dvcignore"
UNSEEN: Final = frozenset({".git", ".hg", ".dvc"})
"""Folders that DVC never sees; no .dvcignore brings them back."""

_LINES = regex(r"\r\n|\r|\n")
_MOST_PATTERNS: Final = 5_000  # each costs a quarter of a millisecond, and every path is held against all
_MOST_CHARACTERS: Final = 1 << 20
_LONGEST: Final = 4_096  # no path is longer

# What stands in pathspec's expressions for `*`, for `**` between slashes, and for "in any folder".
_STARS: Final = regex(r"(?:\[\^/\]\*)+")
_FOLDERS: Final = "(?:/.+)?/"
_ANYWHERE: Final = "^(?:.+/)?"
# A star with what has to follow it in the same name, where another star comes behind.
_STAR_AND_MORE: Final = regex(
    r"\[\^/\]\*((?:\\.|\[\^/\](?!\*)|\[(?:\\.|[^\]\\])+\]|[^\\\[\](){}?*+|^$./])+)(?=\[\^/\]\*)"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a .dvcignore.

    Attributes:
        text: as written, stripped.
        where: its file and line.
        expression: matches a path from the root, a folder's also with a slash behind it.
        hides: whether it hides what it matches; otherwise it brings it back.
        folders_only: whether it speaks of folders only.

    """

    text: str
    where: Location
    expression: re.Pattern[str]
    hides: bool
    folders_only: bool


class Ignore:
    """The patterns of a project; a folder's file is read when something in the folder is first asked about."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        """Read each .dvcignore through `read`, which gives the text of a file of the project, or `None`."""
        self._read = read
        self._rules: dict[str, Rules] = {}

    def hides(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether DVC does not see `path`, repository-relative, because of it or of a folder that holds it."""
        return self.inside(posixpath.dirname(path)).hides(path, is_folder=is_folder)

    def inside(self, folder: str) -> Rules:
        """Give the rules for what lies in `folder` (empty: the root). Without a file of its own it has its parent's."""
        if folder not in self._rules:
            above = self.inside(posixpath.dirname(folder)) if folder else Rules(())
            self._rules[folder] = self._with_own(above, folder)
        return self._rules[folder]

    def _with_own(self, above: Rules, folder: str) -> Rules:
        name = f"{folder}/{NAME}" if folder else NAME
        text = None if above.hides(name) else self._read(name)
        own = tuple(_patterns(text, name, folder)) if text else ()
        return Rules((*above.patterns, *own)) if own else above


def found(dvc_files: Iterable[str], ignore: Ignore, is_project: Callable[[str], bool]) -> list[str]:
    """Give those of `dvc_files` that DVC sees, in its order: a folder's own before those of its sub-folders.

    Args:
        dvc_files: paths of dvc.yaml and `*.dvc`, repository-relative.
        ignore: the patterns of the project.
        is_project: whether a folder below the root is a DVC project of its own.

    """
    visited = {"": True}

    def is_visited(folder: str) -> bool:
        if folder not in visited:
            name = posixpath.basename(folder)
            hidden = name in UNSEEN or ignore.hides(folder, is_folder=True) or is_project(folder)
            visited[folder] = not hidden and is_visited(posixpath.dirname(folder))
        return visited[folder]

    seen = [path for path in dvc_files if is_visited(posixpath.dirname(path)) and not ignore.hides(path)]
    return sorted(seen, key=lambda path: (path.split("/")[:-1], path))


class Rules:
    """The patterns that hold for what lies in one folder, weakest first."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Take the patterns of the folders above, from the root down, and the folder's own."""
        self.patterns = patterns
        self._folders: dict[str, Pattern | None] = {"": None}

    def hides(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether DVC does not see `path`."""
        pattern = self.deciding(path, is_folder=is_folder)
        return pattern is not None and pattern.hides

    def deciding(self, path: str, *, is_folder: bool = False) -> Pattern | None:
        """Give the pattern that decides about `path`; `None` where none does, and it is seen."""
        if not self.patterns:
            return None
        return self._hiding(posixpath.dirname(path)) or self._last(path, is_folder=is_folder)

    def _hiding(self, folder: str) -> Pattern | None:
        """Give the pattern that hides `folder`, or one that holds it."""
        if folder not in self._folders:
            above = self._hiding(posixpath.dirname(folder))
            own = None if above else self._last(folder, is_folder=True)
            self._folders[folder] = above or (own if own and own.hides else None)
        return self._folders[folder]

    def _last(self, path: str, *, is_folder: bool) -> Pattern | None:
        spellings = (path, f"{path}/") if is_folder else (path,)
        for pattern in reversed(self.patterns):
            if (is_folder or not pattern.folders_only) and any(map(pattern.expression.match, spellings)):
                return pattern
        return None


def _patterns(text: str, file: str, folder: str) -> Iterator[Pattern]:
    """Read the lines that say something; those that can match nothing are left out, as DVC does."""
    if len(text) > _MOST_CHARACTERS:
        message = f"too large for a list of patterns: {len(text):,} characters"
        raise ConfigError(message, f"at most {_MOST_CHARACTERS:,} are read", Location(file))
    for count, (number, line) in enumerate(_lines(text)):
        where = Location(file, number)
        if count == _MOST_PATTERNS:
            message = f"more than {_MOST_PATTERNS:,} patterns"
            raise ConfigError(message, "ignore folders instead of each file in them", where)
        rule = _anchored(folder, line) if folder else line
        expression, hides = _expression(line, rule, where)
        if expression is not None and hides is not None:
            yield Pattern(line, where, expression, hides, rule.endswith("/"))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the stripped lines that hold a pattern, with their numbers."""
    for number, line in enumerate(map(str.strip, _LINES.split(text)), start=1):
        if line and not line.startswith("#"):
            yield number, line


def _expression(line: str, rule: str, where: Location) -> tuple[re.Pattern[str] | None, bool | None]:
    """Translate `rule`; like DVC, only if the line alone is a pattern too."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - 30 ms; few projects need it

    if len(line) > _LONGEST:
        message = f"a pattern of {len(line):,} characters"
        raise ConfigError(message, f"no path is longer than {_LONGEST:,}", where)
    try:
        expression, hides = GitIgnoreSpecPattern.pattern_to_regex(line)
        if expression is not None and rule != line:
            expression, hides = GitIgnoreSpecPattern.pattern_to_regex(rule)
        return None if expression is None else _compiled(_bounded(str(expression))), hides
    except re.error as error:
        message = f"{line!r} is not a pattern: {error.msg}"
        raise ConfigError(message, "a range in brackets goes upwards: [a-z]", where) from error
    except ValueError as error:
        message = f"{line!r} is not a pattern"
        raise ConfigError(message, "a backslash stands before what it escapes; a ! before a pattern", where) from error


def _compiled(expression: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what brackets may mean to a later Python is not the matter of who reads this
        return re.compile(expression)  # noqa: TID251 - a wrong one is to be told here


def _bounded(expression: str) -> str:
    """Give an expression that matches the same paths, but never tries again what cannot help.

    Names and patterns both come with a pull request: `*a*a*a*b` on a name of many a's would run for years. What
    follows a star (or `**`) may be taken where it first fits, for good, if another star comes behind: that one matches
    whatever is left over.
    """
    first, *others = (
        _STAR_AND_MORE.sub(r"(?>[^/]*?\1)", _STARS.sub("[^/]*", part)) for part in expression.split(_FOLDERS)
    )
    if not others:
        return first
    if first.startswith(_ANYWHERE):
        first = f"^(?>(?:.+?/)??{first.removeprefix(_ANYWHERE)}(?=/))"
    *middle, last = others
    return first + "".join(f"(?>(?:/.+?)??/{part}(?=/))" for part in middle) + _FOLDERS + last


def _anchored(folder: str, line: str) -> str:
    """Make a pattern of the file in `folder` speak of that folder from the root, as DVC does.

    DVC's own ways: one leading backslash goes, and what is special in the folder's name is not escaped.
    """
    negated = line.startswith("!")
    body = line.removeprefix("!")
    is_everywhere = "/" not in body[:-1] or body.startswith("**/")
    body = body.removeprefix("**/" if is_everywhere else "/").removeprefix("\\")
    rule = f"{folder}/**/{body}" if is_everywhere else f"{folder}/{body}"
    return f"!/{rule}" if negated else rule
