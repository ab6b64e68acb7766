"""The fixed shapes of DVC's files: which keys a mapping may have, and what each must hold.

Mistakes are gathered on a `Page`, all of a file at once; their lines are looked up only when there are any.
"""

from __future__ import annotations

import datetime as dt
import posixpath
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location, spelled_like
from runner.pipeline import spellings, yaml12
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.errors import Kind

Shape = dict[str, str]
Where = tuple[str | int, ...]

URL = regex(r"[A-Za-z][\w+.-]*://")
CONTROL = regex("[\x00-\x1f\x7f-\x9f]")  # a line break would start a line of its own in .gitignore
_RESERVED = frozenset({".git", ".dvc", ".github"})
_UNSEEN = frozenset({".git", ".hg", ".dvc"})
"""Folders that DVC passes by wherever they lie."""


STRING: Final = "a string"
BOOL: Final = "true or false"
INTEGER: Final = "a whole number"
STRINGS: Final = "a list of strings"
LIST: Final = "a list"
MAPPING: Final = "a mapping"
COMMAND: Final = "a string or a list of strings"
NULLABLE_COMMAND: Final = "a string, a list of strings or nothing"
STRING_OR_MAPPING: Final = "a string or a mapping"
AXIS: Final = "a list or one ${...}"
ITERABLE: Final = "a list, a mapping or one ${...}"
BOOL_OR_MAPPING: Final = "true, false or a mapping"
CHECKSUM: Final = "a string of at least 3 characters (quote it)"
NULLABLE_STRING: Final = "a string or nothing"
NULLABLE_LIST: Final = "a list or nothing"
PLOT: Final = "a path, or a mapping of an id to what it draws"
FIELD: Final = "a field, or a mapping of files to fields"
FIELDS: Final = "a field, a list of fields, or a mapping of files to fields"
MOMENT: Final = "a date and time"
ANYTHING: Final = "anything"


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, dt.datetime) or (isinstance(value, str) and bool(dt.datetime.fromisoformat(value)))
    except ValueError:
        return False


_HOLDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    STRING: lambda value: isinstance(value, str),
    BOOL: lambda value: isinstance(value, bool),
    INTEGER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    STRINGS: lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    LIST: lambda value: isinstance(value, list),
    MAPPING: lambda value: isinstance(value, dict),
    COMMAND: lambda value: isinstance(value, str) or _HOLDS[STRINGS](value),
    NULLABLE_COMMAND: lambda value: value is None or _HOLDS[COMMAND](value),
    STRING_OR_MAPPING: lambda value: isinstance(value, (str, dict)),
    AXIS: lambda value: isinstance(value, (str, list)),
    ITERABLE: lambda value: isinstance(value, (str, list, dict)),
    BOOL_OR_MAPPING: lambda value: value is None or isinstance(value, (bool, dict)),
    CHECKSUM: lambda value: value is None or (isinstance(value, str) and len(value) not in {1, 2}),
    NULLABLE_STRING: lambda value: value is None or isinstance(value, str),
    NULLABLE_LIST: lambda value: value is None or isinstance(value, list),
    PLOT: lambda value: isinstance(value, str) or (isinstance(value, dict) and bool(value)),
    FIELD: lambda value: isinstance(value, str) or _maps(value, STRING),
    FIELDS: lambda value: isinstance(value, str) or _HOLDS[STRINGS](value) or _maps(value, COMMAND),
    MOMENT: _is_moment,
    ANYTHING: lambda _: True,
}


def _maps(value: Any, kind: str) -> bool:  # noqa: ANN401 - a document is of any shape
    """Whether the value is a mapping of strings to what is of the kind."""
    return isinstance(value, dict) and all(isinstance(key, str) and _HOLDS[kind](value[key]) for key in value)


_NAMES: Final[Mapping[type, str]] = {
    type(None): "nothing",
    bool: BOOL,
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a mapping",
}


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where in the document: keys and indexes from the top."""

    at: Where
    message: str
    hint: str
    kind: Kind = ""
    text: str = ""


@dataclass
class Page:
    """One file being read, and the mistakes found in it so far.

    Attributes:
        file: repository-relative, as shown in messages.
        text: the whole text; where a mistake lies is looked up in it.
        outline: where things stand in it, from the first look-up on.

    """

    file: str
    text: str
    mistakes: list[Mistake] = field(default_factory=list)
    outline: yaml12.Outline | None = field(default=None, repr=False)
    _noted: set[Mistake] = field(default_factory=set, repr=False)

    def wrong(self, at: Where, message: str, hint: str = "", *, kind: Kind = "", text: str = "") -> None:
        """Note a mistake at a place of the document, or where `text` stands in that place; the same one once."""
        mistake = Mistake(at, message, hint, kind, text)
        if mistake not in self._noted:
            self._noted.add(mistake)
            self.mistakes.append(mistake)

    def errors(self) -> Iterator[ConfigError]:
        """Give every mistake with its line and column."""
        for mistake in self.mistakes:
            where = self.where(*mistake.at, text=mistake.text)
            yield ConfigError(mistake.message, mistake.hint, where, kind=mistake.kind)

    def where(self, *at: str | int, text: str = "") -> Location:
        """Look up the line and column of a place, or of `text` in it. The first time is slow: it reads all again."""
        if self.outline is None:
            self.outline = yaml12.Outline(self.text)
        return Location(self.file, *(self.outline.find(text, *at) if text else self.outline.locate(*at)))

    def holds(self, value: object, expected: str, at: Where, hint: str = "") -> bool:
        """Whether the value is what is expected; a mistake is noted where it is not."""
        if _HOLDS[expected](value):
            return True
        number = _odd_one(value, expected)
        if number is None:
            found, odd = f"expected {expected}, found {naming(value)}", ""
        else:
            assert isinstance(value, list)  # noqa: S101 - _odd_one() has just said so; mypy cannot know
            found = f"expected {expected}, found {naming(value[number])} in it"
            odd, at = _hint(value[number], STRING), (*at, number)
        self.wrong(at, found, hint or _hint(value, expected) or odd, kind="wrong-value")
        return False

    def fits(self, value: object, shape: Shape, at: Where, required: str = "", hint: str = "") -> bool:
        """Whether the value is a mapping with no keys but those of the shape, each holding its kind.

        Args:
            value: of any kind.
            shape: keys and kinds.
            at: its place in the document.
            required: the key that must be there.
            hint: what to do about a value of the wrong kind, if that is not what it usually is.

        """
        if not self.holds(value, MAPPING, at):
            return False
        assert isinstance(value, dict)  # noqa: S101 - holds() has just said so; mypy cannot know
        before = len(self.mistakes)
        for key, inner in value.items():
            if key not in shape:
                right = spellings.of_key(key, inner, shape) or nearest(key, shape)
                self.wrong((*at, key), f"unknown key {key!r}", right, kind="unknown-key")
            elif not _HOLDS[shape[key]](inner):
                self.holds(inner, shape[key], (*at, key), hint)
        if required and required not in value:
            self.wrong(at, f"{required!r} is missing", "it is required here", kind="missing-key")
        return len(self.mistakes) == before

    def path(  # noqa: PLR0913 - three say which path it is, two what for
        self, wdir: str, spelled: str, root: str, at: Where, *, writes: bool = False, shows: bool = False
    ) -> str:
        """Give the repository-relative path of `spelled`, noting a mistake where it may not be used.

        Args:
            wdir: folder that a relative path starts from, repository-relative.
            spelled: as the file writes it.
            root: absolute path of the repository, for absolute paths; empty: they count as outside.
            at: its place in the document.
            writes: whether it is an out; a dep may point at git's files.
            shows: whether it is only shown to people: a registry of data names .dvc files as its artifacts.

        """
        path = relative(wdir, spelled, root)
        top = path.partition("/")[0]
        if not spelled or CONTROL.search(spelled):
            why = ": it holds a control character" if spelled else ""
            self.wrong(at, f"{spelled!r} is not a path{why}", "rename the file" if spelled else "")
        elif path.startswith("/") or top == "..":
            hint = "only paths inside it are supported"
            self.wrong(at, f"{spelled!r} is outside the repository", hint, kind="outside-repository")
        elif writes and (top in _RESERVED or _UNSEEN.intersection(path.split("/"))):
            folder = top if top in _RESERVED else min(_UNSEEN.intersection(path.split("/")))
            self.wrong(at, f"{spelled!r} is inside {folder}, which stages may not write", "choose another folder")
        elif not shows and f"/{path}".endswith((".dvc", "/dvc.yaml")):
            self.wrong(at, f"the DVC file {spelled!r} can be neither dep nor out", "name the file that it tracks")
        return path


def sound(mapping: Mapping[Any, Any], shape: Shape) -> dict[str, Any]:
    """Leave out what does not fit the shape, so that reading can go on and find the other mistakes."""
    return {key: value for key, value in mapping.items() if key in shape and _HOLDS[shape[key]](value)}


def relative(wdir: str, spelled: str, root: str) -> str:
    """Normalise to a repository-relative path; begins with `/` or `..` where it lies outside."""
    path = posixpath.normpath(spelled if wdir == "." else posixpath.join(wdir, spelled))
    if path.startswith("/") and root:
        return posixpath.relpath(path, root)
    return path


def is_outside(path: str) -> bool:
    """Whether a normalised path leads out of the repository."""
    return path.startswith(("/", "../")) or path == ".."


def as_recorded(wdir: str, spelled: str, root: str) -> str:
    """Give the path as DVC records it: verbatim, but an absolute one inside the repository from wdir."""
    if not spelled.startswith("/"):
        return spelled
    path = relative(wdir, spelled, root)
    return spelled if path.startswith(("/", "..")) else relative_to(wdir, path)


def relative_to(wdir: str, path: str) -> str:
    """Give a repository-relative path as seen from `wdir`."""
    return path if wdir == "." else posixpath.relpath(path, wdir)


def nearest(word: object, known: Shape) -> str:
    """Name the nearest valid key, or all of them."""
    near = spelled_like(str(word), known)
    return f"did you mean {near[0]!r}?" if near else f"valid here: {', '.join(known)}"


_LISTS_OF_STRINGS: Final = frozenset({STRINGS, COMMAND, NULLABLE_COMMAND})


def _odd_one(value: object, expected: str) -> int | None:
    """Give the index of the first member that is no string where a list of strings may stand, if that is what it is."""
    if not isinstance(value, list) or expected not in _LISTS_OF_STRINGS:
        return None
    return next(number for number, one in enumerate(value) if not isinstance(one, str))


_EMPTY: Final = {MAPPING: "{}", LIST: "[]", STRINGS: "[]"}


def naming(value: object) -> str:
    """Say what a value is, in the words of YAML, and show a short one."""
    name = _NAMES.get(type(value), type(value).__name__)
    return f"{name} ({value!r})" if isinstance(value, (str, int, float)) and len(repr(value)) <= 40 else name  # noqa: PLR2004


def _hint(value: object, expected: str) -> str:
    if expected == BOOL and isinstance(value, str):
        return "YAML 1.2 has true and false only; without quotes"
    if isinstance(value, (int, float)) and expected in {STRING, STRINGS, COMMAND, CHECKSUM}:
        return "put it in quotes"
    if value is None and expected in _EMPTY:
        return f"write {_EMPTY[expected]}, or leave the key out"
    return _hint_of_form(value, expected)


def _hint_of_form(value: object, expected: str) -> str:
    """Say how lists and mappings are told apart."""
    is_list = expected in {LIST, STRINGS}
    if isinstance(value, str) and is_list:
        return f"write [{value}]"
    if isinstance(value, dict) and is_list:
        return "each entry of a list starts with '- '"
    if isinstance(value, list):
        no_names = "no '- ' here: each entry stands under its name"
        return no_names if expected == MAPPING else next(filter(None, map(spellings.of_path, value)), "")
    return ""
