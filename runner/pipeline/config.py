""".dvc/config and its layers together: remotes and cache settings, as DVC reads them.

A later layer wins option by option; `config_layer` reads one.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from runner.errors import ConfigError, ConfigErrors, Location, RemoteError, spelled_like
from runner.pipeline.config_layer import Given, layer
from runner.pipeline.config_options import NAMED, REMOTES, SECTIONS, UNCHECKED
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.errors import RunnerError
    from runner.pipeline.config_layer import Options, Section
    from runner.pipeline.config_options import Kind, Value

DEFAULT_LINK_TYPES: Final = ("reflink", "copy")

_KNOWN_AS: Final = {"sftp": "ssh", "abfs": "azure", "abfss": "azure", "az": "azure", "wasbs": "azure", "gcs": "gs"}
"""What other programs call kinds of urls that DVC has."""


@dataclass(frozen=True)
class RemoteConfig:
    """A remote, its inherited options merged in.

    Attributes:
        name: lower-cased.
        url: absolute path of a directory, or a URL.
        options: every other option, with its type.
        file: the config file that gives the url, for messages.

    """

    name: str
    url: str
    options: Mapping[str, Value] = field(default_factory=dict, repr=False)
    file: str = ""


_FILE: Final = Location(".dvc/config")


@dataclass(frozen=True)
class Config:
    """What the layers say together.

    Attributes:
        remotes: by name.
        default_remote: `core.remote`; empty where none is set.
        default_where: where that stands.
        cache_dir: absolute path; empty for the usual place below `.dvc`.
        cache_types: how files are linked out of the cache, in order of preference.
        is_shared: whether the cache is its group's (`cache.shared = group`).
        settings: every other option, as `section.option`.
        unusable: why remotes cannot be used that inherit from what is not there; said when one is asked for.

    """

    remotes: Mapping[str, RemoteConfig] = field(default_factory=dict)
    default_remote: str = ""
    default_where: Location = field(default=_FILE, compare=False)
    cache_dir: str = ""
    cache_types: tuple[str, ...] = DEFAULT_LINK_TYPES
    is_shared: bool = False
    settings: Mapping[str, Value] = field(default_factory=dict, repr=False)
    unusable: Mapping[str, ConfigErrors] = field(default_factory=dict, repr=False)

    def remote(self, name: str = "") -> RemoteConfig:
        """Give the remote with that name, or the default one.

        Raises:
            RemoteError: no name, and no default remote is set.
            ConfigError: there is no remote of that name, or it inherits from what is not there.

        """
        wanted = (name or self.default_remote).lower()
        if not wanted:
            raise RemoteError(_no_default(self.remotes), _lines_to_add(self.remotes))
        if wanted in self.unusable:
            raise self.unusable[wanted]
        if wanted not in self.remotes:
            known = ", ".join(self.remotes) or "none is configured"
            near = spelled_like(wanted, self.remotes)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {known}"
            message = f"there is no remote {wanted!r}"
            raise ConfigError(message, hint, _FILE if name else self.default_where)
        return self.remotes[wanted]


def _no_default(remotes: Mapping[str, RemoteConfig]) -> str:
    return "no default remote is set" if remotes else "no remote is configured"


def _lines_to_add(remotes: Mapping[str, RemoteConfig]) -> str:
    if remotes:
        return f"add to .dvc/config:  [core]  remote = {next(iter(remotes))}"
    return "add one to .dvc/config:  dvc remote add -d storage s3://bucket/path"


def parse(layers: Sequence[tuple[str, str, str]], home: str = "") -> Config:
    """Read the layers of DVC's configuration together.

    Args:
        layers: (file as shown in messages, text, absolute folder that its relative paths start from),
            of lowest precedence first.
        home: what `~` stands for; empty: it is left as it is.

    Raises:
        ConfigErrors: every mistake in every layer, each with file and line and the nearest valid name.

    """
    errors: list[RunnerError] = []
    merged: dict[Section, Options] = {}
    headings: dict[Section, Location] = {}
    for file, text, folder in layers:
        try:
            for section, (heading, options) in layer(file, text, folder, home).items():
                merged.setdefault(section, {}).update(options)
                headings[section] = heading
        except ConfigError as error:
            errors.append(error)
    checking = _Checking(merged, headings, errors)
    config = checking.config()
    if errors:
        raise ConfigErrors(errors)
    return config


@dataclass
class _Checking:
    """The merged layers on their way to a Config; mistakes go to `errors`."""

    merged: dict[Section, Options]
    headings: dict[Section, Location]
    errors: list[RunnerError]

    def config(self) -> Config:
        """Check every section and put the values in their places."""
        settings: dict[str, Value] = {}
        remotes: dict[str, RemoteConfig] = {}
        unusable: dict[str, ConfigErrors] = {}
        for (section, name), options in self.merged.items():
            if section == "remote" and name and _inherits(options):
                heir = _Checking(
                    self.merged, self.headings, []
                )  # DVC looks at what a remote inherits only when it uses it
                remotes.update(heir._remote(name, options))
                if heir.errors:
                    unusable[name] = ConfigErrors(heir.errors)
            elif section == "remote" and name:
                remotes.update(self._remote(name, options))
            elif section in NAMED and name:
                self._values(options, NAMED[section], f"{section} {name!r}")
            elif section in SECTIONS and not name:
                values = self._values(options, SECTIONS[section], f"[{section}]")
                settings.update({f"{section}.{option}": value for option, value in values.items()})
                if {"hydra.config_dir", "hydra.config_module"} <= settings.keys() and section == "hydra":
                    message = "'config_dir' and 'config_module' in [hydra] exclude one another"
                    self.errors.append(ConfigError(message, "remove one of them", options["config_module"].where))
            elif section not in UNCHECKED:
                self._unknown_section((section, name))
        types = settings.get("cache.type", DEFAULT_LINK_TYPES)
        default = self.merged.get(("core", ""), {}).get("remote")
        return Config(
            remotes=remotes,
            default_remote=str(settings.get("core.remote", "")),
            default_where=default.where if default else _FILE,
            cache_dir=str(settings.get("cache.dir", "")),
            cache_types=types if isinstance(types, tuple) else DEFAULT_LINK_TYPES,
            is_shared="cache.shared" in settings,
            settings=settings,
            unusable=unusable,
        )

    def _unknown_section(self, named: Section) -> None:
        section, _ = named
        near = spelled_like(section, (*SECTIONS, 'remote "name"'))
        hint = f"did you mean [{near[0]}]?" if near else f'valid are {", ".join(SECTIONS)} and remote "name"'
        self.errors.append(ConfigError(f"unknown section [{section}]", hint, self.headings[named]))

    def _values(self, options: Options, kinds: Mapping[str, Kind], owner: str) -> dict[str, Value]:
        found = {}
        for option, given in options.items():
            if option not in kinds:
                near = spelled_like(option, kinds)
                hint = f"did you mean {near[0]!r}?" if near else f"valid here: {', '.join(sorted(kinds))}"
                self.errors.append(ConfigError(f"unknown option {option!r} in {owner}", hint, given.where))
                continue
            try:
                found[option] = kinds[option](given.value)
            except ValueError as error:
                message = f"{option!r} in {owner} must be {error}"
                self.errors.append(ConfigError(message, "", given.where))
        return found

    def _remote(self, name: str, options: Options) -> Iterator[tuple[str, RemoteConfig]]:
        owner = f"remote {name!r}"
        inherited = self._inherited(name, options)
        if inherited is None:
            return
        given = inherited.get("url")
        if given is None or not str(given.value).strip():
            hint = f"write url = ... below it, or: dvc remote modify {name} url URL"
            self.errors.append(ConfigError(f"{owner} has no url", hint, self.headings["remote", name]))
            return
        try:
            scheme = _scheme(given.value)
        except ValueError as error:
            message = f"{owner}: {str(given.value)!r} is not a url: {error}"
            self.errors.append(ConfigError(message, "a host in brackets is an IPv6 address", given.where))
            return
        if scheme not in REMOTES:
            near = [_KNOWN_AS[scheme]] if scheme in _KNOWN_AS else spelled_like(scheme, REMOTES)
            hint = f"did you mean {near[0]}://?" if near else f"DVC knows {', '.join(filter(None, REMOTES))}"
            self.errors.append(ConfigError(f"{owner}: unknown kind of url {scheme}://", hint, given.where))
            return
        values = self._values(inherited, REMOTES[scheme], owner)
        url = str(values.pop("url", ""))
        yield name, RemoteConfig(name, url, values, given.where.file)

    def _inherited(self, name: str, options: Options, heirs: tuple[str, ...] = ()) -> Options | None:
        """Merge in what `url = remote://base/path` inherits: base's options, its url with the path added."""
        given = options.get("url")
        if given is None or not _inherits(options):
            return options
        base, _, path = str(given.value).removeprefix("remote://").partition("/")
        known = self.merged.get(("remote", base.lower()))
        if known is None or base.lower() in (*heirs, name):
            what = "itself" if known is not None else f"{base!r}, which does not exist"
            self.errors.append(ConfigError(f"remote {name!r} inherits from {what}", "", given.where))
            return None
        above = self._inherited(base.lower(), known, (*heirs, name))
        if above is None or "url" not in above:
            return None
        url = f"{above['url'].value}/{path.lstrip('/')}" if path else above["url"].value
        return above | options | {"url": Given(url, given.where)}


def _inherits(options: Options) -> bool:
    given = options.get("url")
    return given is not None and str(given.value).startswith("remote://")


def _scheme(url: object) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    return parts.scheme if parts and parts.netloc else ""
