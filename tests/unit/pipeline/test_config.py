"""DVC's configuration: layers, remotes, kinds of values, and mistakes with their lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from dvc.config import Config as DvcConfig
from dvc.config_schema import SCHEMA as DVC_SCHEMA
from dvc.fs import get_fs_config
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError, Exit, RemoteError
from runner.pipeline import config, config_options
from runner.pipeline.config import Config, RemoteConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FOLDER = "/repo/.dvc"


def parse(text: str, local: str = "") -> Config:
    return config.parse([(".dvc/config", text, FOLDER), (".dvc/config.local", local, FOLDER)], home="/home/me")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


BY_DVC = """\
[core]
    remote = storage
    autostage = true
[cache]
    type = hardlink, copy
['remote "storage"']
    url = s3://bucket/path
    endpointurl = http://127.0.0.1:9000
    version_aware = true
    jobs = 4
    read_timeout = 30
    ssl_verify = false
"""


def test_what_dvc_writes_is_read() -> None:
    found = parse(BY_DVC)
    assert found.default_remote == "storage"
    assert found.cache_types == ("hardlink", "copy")
    assert found.settings["core.autostage"] is True
    assert found.remote() == RemoteConfig(
        "storage",
        "s3://bucket/path",
        {
            "endpointurl": "http://127.0.0.1:9000",
            "version_aware": True,
            "jobs": 4,
            "read_timeout": 30,
            "ssl_verify": False,
        },
        ".dvc/config",
    )


def test_no_configuration_at_all_gives_dvcs_defaults() -> None:
    assert config.parse([]) == Config()
    assert parse("").cache_types == ("reflink", "copy")


def test_a_later_layer_wins_option_by_option() -> None:
    found = parse(
        BY_DVC, '[core]\nremote = other\n[remote "storage"]\naccess_key_id = k\njobs = 1\n[remote "other"]\nurl = /d\n'
    )
    assert found.remote().url == "/d"
    assert found.remote("storage").options["jobs"] == 1
    assert found.remote("storage").options["access_key_id"] == "k"
    assert found.remote("storage").options["endpointurl"] == "http://127.0.0.1:9000"


@pytest.mark.parametrize("heading", ["['remote \"Big\"']", '[remote "Big"]', "[ 'REMOTE \"bIG\"' ]"])
def test_names_are_lower_cased_wherever_they_stand(heading: str) -> None:
    found = parse(f"[CORE]\nRemote = BIG\n{heading}\nURL = s3://Bucket/Path\n")
    assert found.remote().url == "s3://Bucket/Path"
    assert found.remote("bIg").name == "big"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("../../store", "/store"),
        ("store", "/repo/.dvc/store"),
        ("/abs/store", "/abs/store"),
        ("~/store", "/home/me/store"),
        ("~", "/home/me"),
        ("~other/store", "~other/store"),
        ("s3://b/../c", "s3://b/../c"),
        ('"s3://b/a,b"', "s3://b/a,b"),
        ("http://host/x # a comment", "http://host/x"),
    ],
)
def test_a_url_that_is_a_folder_starts_from_the_folder_of_its_file(url: str, read: str) -> None:
    assert parse(f'[remote "r"]\nurl = {url}\n').remote("r").url == read


def test_files_named_by_options_and_the_cache_are_absolute_too() -> None:
    found = parse('[cache]\ndir = ../../cache\n[remote "r"]\nurl = s3://b\ncredentialpath = keys\n')
    assert found.cache_dir == "/cache"
    assert found.remote("r").options == {"credentialpath": "/repo/.dvc/keys"}


def test_a_remote_inherits_what_it_does_not_say_itself() -> None:
    found = parse(
        '[remote "base"]\nurl = s3://b/p/\nregion = here\nprofile = x\n'
        '[remote "mid"]\nurl = remote://BASE/deep\nregion = there\n'
        '[remote "low"]\nurl = remote://mid/er/\n'
        '[remote "same"]\nurl = remote://base\n'
    )
    assert found.remote("low").url == "s3://b/p//deep/er/"  # DVC joins as it is written
    assert found.remote("low").options == {"region": "there", "profile": "x"}
    assert found.remote("same").url == "s3://b/p/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[core]\nremoot = x\n", ".dvc/config:2: unknown option 'remoot' in [core]\n  did you mean 'remote'?"),
        ("[cores]\nremote = x\n", ".dvc/config:1: unknown section [cores]\n  did you mean [core]?"),
        ("[core]\n\nautostage = yes\n", ".dvc/config:3: 'autostage' in [core] must be true or false"),
        ("[cache]\ntype = hardlink, floppy\n", ".dvc/config:2: 'type' in [cache] must be reflink"),
        ("[cache]\nshared = all\n", ".dvc/config:2: 'shared' in [cache] must be group"),
        ("[parsing]\nbool = x\n", ".dvc/config:2: 'bool' in [parsing] must be store_true or boolean_optional"),
        ('[remote "r"]\nregion = x\n', ".dvc/config:1: remote 'r' has no url"),
        ('[remote "r"]\nurl = s3:///x\nregin = x\n', ".dvc/config:3: unknown option 'regin' in remote 'r'"),
        (
            '[remote "r"]\nurl = s3://b\nregin = x\n',
            ".dvc/config:3: unknown option 'regin' in remote 'r'\n  did you mean",
        ),
        (
            "['remote \"r\"']\nurl = /d\nregion = x\n",
            ".dvc/config:3: unknown option 'region' in remote 'r'\n  valid here",
        ),
        (
            "['remote \"r\"']\nurl = s3://[bucket/x\n",
            ".dvc/config:2: remote 'r': 's3://[bucket/x' is not a url: Invalid IPv6 URL",
        ),
        (
            '[remote "r"]\nurl = sh://b\n',
            ".dvc/config:2: remote 'r': unknown kind of url sh://\n  did you mean ssh://?",
        ),
        (
            '[remote "r"]\nurl = sftp://b\n',
            ".dvc/config:2: remote 'r': unknown kind of url sftp://\n  did you mean ssh://?",
        ),
        ('[remote "r"]\nurl = s3://a,b\n', ".dvc/config:2: 'url' in remote 'r' must be one value; put text that holds"),
        ('[remote "r"]\nurl = s3://b\njobs = 0\n', ".dvc/config:3: 'jobs' in remote 'r' must be a whole number of at"),
        (
            '[remote "r"]\nurl = s3://b\nread_timeout = x\n',
            ".dvc/config:3: 'read_timeout' in remote 'r' must be a whole number",
        ),
        (
            '[remote "r"]\nurl = https://h\nread_timeout = -1\n',
            ".dvc/config:3: 'read_timeout' in remote 'r' must be a num",
        ),
        (
            '[remote "r"]\nurl = s3://b\ncache_regions = true\n',
            ".dvc/config:3: 'cache_regions' in remote 'r' must be left",
        ),
        ("['db \"d\"']\nport = 1\n", ".dvc/config:2: unknown option 'port' in db 'd'"),
        ("[state]\nrow_cleanup_quota = 101\n", ".dvc/config:2: 'row_cleanup_quota' in [state] must be a whole number"),
        ("[core]\na\n", ".dvc/config:2: Invalid line"),
        ("[core]\n; no comment\n", ".dvc/config:2: Invalid line"),
        ("[core]\n[core]\n", ".dvc/config:2: Duplicate section name"),
        ("[core]\nremote = a\nremote = b\n", ".dvc/config:3: Duplicate keyword name"),
        ("remote = x\n", ".dvc/config:1: the option 'remote' stands before any section"),
        ('[remote "r"]\nurl = %(nope)s\n', '.dvc/config:2: missing option "nope" in interpolation'),
        ("[core]\na = 1\nb = %(b)s\n", '.dvc/config:3: interpolation loop detected in value "b"'),
        ("\n".join(f"{'[' * n}a{']' * n}" for n in range(1, 511)), ".dvc/config:1: unknown section [a]"),
        ("\n".join(f"{'[' * n}a{']' * n}" for n in range(1, 600)), ".dvc/config: too large for a configuration"),
        ("#" * (1 << 18) + "\n", ".dvc/config: too large for a configuration: 262,145 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_nearest_name(text: str, expected: str) -> None:
    (problem,) = mistakes(text)
    assert problem.startswith(expected)


def test_every_mistake_of_every_layer_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[core]\na = 1\n[bad\n", '[remote "r"]\njobs = x\nurl = s3://b\n')
    assert [str(problem).partition(": ")[0] for problem in caught.value.problems] == [
        ".dvc/config:3",
        ".dvc/config.local:2",
    ]


def test_sections_that_are_for_other_tools_are_left_alone() -> None:
    assert parse("[feature]\nanything = 1\n['machine \"m\"']\ncloud = aws\n['db \"d\"']\nurl = x\n").remotes == {}


def test_a_secret_is_not_shown_when_a_remote_is() -> None:
    found = parse('[remote "r"]\nurl = s3://b\nsecret_access_key = hush\n')
    assert "hush" not in repr(found)
    assert "hush" not in repr(found.remote("r"))


def test_without_any_remote_the_error_gives_the_command_that_adds_one() -> None:
    with pytest.raises(RemoteError, match="no remote is configured") as caught:
        parse("").remote()
    assert "dvc remote add -d" in caught.value.hint
    assert caught.value.exit_code == Exit.REMOTE


def test_without_a_default_remote_the_error_names_one_that_could_be_it() -> None:
    with pytest.raises(RemoteError, match="no default remote") as caught:
        parse('[remote "store"]\nurl = /x\n').remote()
    assert "remote = store" in caught.value.hint


def test_an_unknown_remote_is_refused_with_the_known_ones() -> None:
    found = parse('[remote "store"]\nurl = /x\n[remote "other"]\nurl = /y\n')
    with pytest.raises(ConfigError, match="no remote 'stor'") as caught:
        found.remote("stor")
    assert "store" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        found.remote("zzz")
    assert caught.value.hint == "known: store, other"


def test_every_option_dvc_knows_for_every_kind_of_remote_is_known() -> None:
    from dvc.config_schema import REMOTE_SCHEMAS  # noqa: PLC0415 - the oracle of one test

    for scheme, options in REMOTE_SCHEMAS.items():
        if scheme != "remote":
            assert {str(option) for option in options} <= set(config_options.REMOTES[scheme]), scheme


def test_every_section_and_option_dvc_knows_is_known() -> None:
    from dvc.config_schema import SCHEMA  # noqa: PLC0415 - the oracle of one test

    for section, options in SCHEMA.items():
        if section in config_options.NAMED:
            ((_, fields),) = options.items()
            assert set(fields) == set(config_options.NAMED[section])
        elif section in config_options.SECTIONS:
            assert {str(option) for option in options} <= set(config_options.SECTIONS[section]), section
        else:
            assert section in {"remote", *config_options.UNCHECKED}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("remote://q/x", ".dvc/config:4: remote 'r' inherits from 'q', which does not exist"),
        ("remote://r/x", ".dvc/config:4: remote 'r' inherits from itself"),
        ("remote://base/x", ".dvc/config:2: unknown option 'regin' in remote 'r'"),
    ],
)
def test_what_is_wrong_with_an_heir_is_said_when_it_is_used_and_no_sooner(url: str, why: str) -> None:
    options = "regin = x\n" if "base" in url else ""
    found = parse(f'[remote "r"]\n{options or "jobs = 1"}\n\nurl = {url}\n[remote "base"]\nurl = s3://b\n')
    assert found.remote("base").url == "s3://b"
    with pytest.raises(ConfigError) as caught:
        found.remote("R")
    assert str(caught.value.problems[0]).startswith(why)


def test_of_a_section_written_twice_the_last_one_counts() -> None:
    found = parse('[core]\nautostage = true\nremote = a\n[CORE]\nremote = b\n[remote "b"]\nurl = /b\n')
    assert found.settings == {"core.remote": "b"}


# Beside DVC

FIXED = [
    (BY_DVC, ""),
    ('[core]\nremote = A\n[remote "A"]\nurl = ../x\n', ""),
    ("[core]\nautostage = yes\n", "[core]\nautostage = true\n"),
    ('[remote "r"]\nregion = x\n', '[remote "r"]\nurl = s3://b\n'),
    ('[remote "r"]\nurl = s3://b/p/\nregion = x\n', '[remote "h"]\nurl = remote://R/sub\nregion = y\n'),
    ('[remote "r"]\nurl = s9://b\n', ""),
    ("; x\n", ""),
    ("[core]\n[core]\n", ""),
    ("[core]\nremote = x\n[CORE]\nautostage = true\n", ""),
    ("[feature]\nx = 1\n", "[hydra]\nenabled = true\n"),
    ("[state]\nrow_limit = 0\n", ""),
]
REMOTE_LINES = (
    "url = s3://bucket/p",
    "url = ../store",
    "url = /abs/x",
    "url = https://h/x",
    "url = remote://A",
    "url = remote://a/sub/",
    "url = gs://b",
    "url = nope://x",
    "region = here",
    "jobs = 4",
    "jobs = 0",
    "read_timeout = 1.5",
    "read_timeout = 10",
    "ssl_verify = FALSE",
    "ssl_verify = ca.pem",
    "credentialpath = keys/k",
    "credentialpath = ~/k",
    "type = hardlink,copy",
    "version_aware = true",
    "verify = yes",
    "nope = 1",
    "URL = s3://Upper",
    "acl = a, b",
)
OTHER_SECTIONS = (
    "[core]\nremote = A",
    "[CORE]\nremote = b\nautostage = True",
    "[core]\nno_scm = no",
    "[cache]\ndir = ../cache",
    "[cache]\ntype = symlink, copy",
    "[cache]\ntype = tape",
    "[cache]\nshared = Group",
    "[parsing]\nbool = boolean_optional",
    "[exp]\nauto_push = x",
    "[hydra]\nconfig_dir = a\nconfig_module = b",
    "[plots]\nout_dir = p # comment",
    "['machine \"m\"']\ncloud = aws",
    "['db \"d\"']\nurl = x\nnope = y",
    "[what]\nx = 1",
)
FILLED_IN = {
    *((option, False) for option in ("verify", "protected", "allow_anonymous_login", "listobjects")),
    *((option, True) for option in ("slow_link_warning", "use_ssl")),
}
sections = st.one_of(
    st.sampled_from(OTHER_SECTIONS),
    st.builds(
        lambda heading, lines: "\n".join([heading, *lines]),
        st.sampled_from(['[remote "a"]', "['remote \"A\"']", '[remote "b"]', '[ remote  "c" ]']),
        st.lists(st.sampled_from(REMOTE_LINES), min_size=1, max_size=3, unique_by=lambda line: line.split(" ")[0]),
    ),
)
texts = st.lists(sections, max_size=3).map("\n".join)


@pytest.mark.parametrize("layers", FIXED)
def test_dvc_reads_the_same_from_these(
    layers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, session_environment: dict[str, str]
) -> None:
    _agree(("", "", *layers), tmp_path_factory.mktemp("layers"), session_environment)


@given(layers=st.tuples(texts, texts, texts, texts))
def test_dvc_reads_the_same_from_random_layers(
    layers: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory, session_environment: dict[str, str]
) -> None:
    _agree(layers, tmp_path_factory.mktemp("layers"), session_environment)


def _agree(texts: Sequence[str], root: Path, environ: dict[str, str]) -> None:
    """Read system, user, project and local file by both; what cannot be used is nothing."""
    folders = (root / "system", root / "user", root / "p" / ".dvc", root / "p" / ".dvc")
    files = [
        folder / name for folder, name in zip(folders, ("config", "config", "config", "config.local"), strict=True)
    ]
    for file, text in zip(files, texts, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    os.environ.update(DVC_SYSTEM_CONFIG_DIR=str(folders[0]), DVC_GLOBAL_CONFIG_DIR=str(folders[1]))
    try:
        theirs = _by_dvc(str(folders[2]))
    finally:
        del os.environ["DVC_SYSTEM_CONFIG_DIR"], os.environ["DVC_GLOBAL_CONFIG_DIR"]
    layers = [(str(file), text, str(file.parent)) for file, text in zip(files, texts, strict=True)]
    assert _by_us(layers, environ["HOME"]) == theirs


def _by_dvc(folder: str) -> object:
    try:
        found = DvcConfig(folder)
    except Exception:  # noqa: BLE001 - DVC lets what its libraries raise through
        return None
    core, cache = found["core"], found["cache"]
    types = cache.get("type") or ("reflink", "copy")
    return {
        "default": core.get("remote", ""),
        "autostage": core["autostage"],
        "cache": (cache.get("dir", ""), tuple(types if isinstance(types, (list, tuple)) else [types])),
        "remotes": {name: _remote_of_dvc(found, name) for name in found["remote"]},
    }


def _remote_of_dvc(found: DvcConfig, name: str) -> object:
    try:
        resolved = get_fs_config(found, name=name)
        checked = dict(DVC_SCHEMA["remote"][str](resolved))
    except Exception:  # noqa: BLE001 - as above
        return None
    return _told(checked)


def _by_us(layers: Sequence[tuple[str, str, str]], home: str) -> object:
    try:
        found = config.parse(layers, home)
    except ConfigError:
        return None
    remotes = {name: _told({**remote.options, "url": remote.url}) for name, remote in found.remotes.items()}
    return {
        "default": found.default_remote,
        "autostage": found.settings.get("core.autostage", False),
        "cache": (found.cache_dir, found.cache_types),
        "remotes": remotes | dict.fromkeys(found.unusable),
    }


def _told(options: Mapping[str, object]) -> dict[str, object]:
    """Leave out what DVC fills in by itself, and how a list is held."""
    told = {option: value for option, value in options.items() if option != "type" and (option, value) not in FILLED_IN}
    return {**told, "url": str(told["url"]).rstrip("/")}


def test_an_empty_url_is_a_mistake_and_not_the_folder_of_the_config() -> None:
    with pytest.raises(ConfigError, match="has no url"):
        config.parse([(".dvc/config", "['remote \"x\"']\n    url =\n", "/p/.dvc")])
