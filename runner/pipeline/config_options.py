"""DVC's configuration options: which there are in each section, and what each may hold.

The list of DVC 3.67, obsolete ones included: they are accepted and mean nothing. A kind is a function
from the text as written to the value; it raises ValueError whose message says what was expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Value = str | bool | int | float | tuple[str, ...]
    Kind = Callable[[object], Value]

LINK_TYPES: Final = ("reflink", "hardlink", "symlink", "copy")


def _boolean(value: object) -> bool:
    if str(value).lower() not in {"true", "false"}:
        message = "true or false"
        raise ValueError(message)
    return str(value).lower() == "true"


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = "one value; put text that holds a comma in quotes"
        raise ValueError(message)  # noqa: TRY004 - what kinds raise is one error, told as "expected ..."
    return value


def _lower(value: object) -> str:
    return _text(value).lower()


def _integer(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        message = "a whole number"
        raise ValueError(message) from None


def _between(least: int, most: int | None = None) -> Kind:
    def kind(value: object) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise ValueError(f"a whole number of at least {least}" + (f" and at most {most}" if most else ""))
        return number

    return kind


_at_least_one = _between(1)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        message = "a number"
        raise ValueError(message) from None


def _seconds(value: object) -> float | int:
    seconds = _number(value)
    if not seconds >= 0:
        message = "a number that is not negative"
        raise ValueError(message)
    return int(seconds) if seconds.is_integer() else seconds


def _never(_: object) -> Value:
    """Refuse every value, as DVC does: it expects what no file can say."""
    message = "left out: DVC itself takes no value for it from a file"
    raise ValueError(message)


def _flag_or_text(value: object) -> str | bool:
    return _boolean(value) if str(value).lower() in {"true", "false"} else _text(value)


def _one_of(*choices: str) -> Kind:
    def kind(value: object) -> str:
        if str(value).lower() not in choices:
            raise ValueError(" or ".join(choices))
        return str(value).lower()

    return kind


def _links(value: object) -> tuple[str, ...]:
    types = tuple(value) if isinstance(value, list) else tuple(part.strip() for part in str(value).split(","))
    if not set(types) <= set(LINK_TYPES):
        raise ValueError(", ".join(LINK_TYPES))
    return types


def _kinds(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


_LINKED: Final = {
    "type": _links,
    "shared": _one_of("group"),
    **_kinds(_boolean, "protected slow_link_warning verify"),
}
_COMMON: Final = {
    "url": _text,
    **_kinds(_at_least_one, "jobs checksum_jobs"),
    **_kinds(_boolean, "worktree no_traverse version_aware verify"),
}
_HTTP: Final = {
    **_COMMON,
    "auth": _one_of("basic", "digest", "custom"),
    **_kinds(_text, "custom_auth_header user password method"),
    "ask_password": _boolean,
    "ssl_verify": _flag_or_text,
    **_kinds(_seconds, "connect_timeout read_timeout"),
}
_WEBDAV: Final = {
    **_COMMON,
    **_kinds(_text, "user password token bearer_token_command custom_auth_header cert_path key_path"),
    "ask_password": _boolean,
    "ssl_verify": _flag_or_text,
    "timeout": _integer,
}
REMOTES: Final[Mapping[str, Mapping[str, Kind]]] = {
    "": {**_COMMON, **_LINKED},
    "s3": {
        **_COMMON,
        **_kinds(_text, "region profile credentialpath configpath endpointurl access_key_id secret_access_key"),
        **_kinds(_text, "session_token sse sse_kms_key_id sse_customer_algorithm sse_customer_key acl"),
        **_kinds(_text, "grant_read grant_read_acp grant_write_acp grant_full_control"),
        **_kinds(_boolean, "listobjects use_ssl allow_anonymous_login"),
        "ssl_verify": _flag_or_text,
        "cache_regions": _never,
        **_kinds(_integer, "read_timeout connect_timeout"),
    },
    "gs": {**_COMMON, **_kinds(_text, "projectname credentialpath endpointurl"), "allow_anonymous_login": _boolean},
    "azure": {
        **_COMMON,
        **_kinds(_text, "connection_string sas_token account_name account_key tenant_id client_id client_secret"),
        **_kinds(_boolean, "allow_anonymous_login exclude_environment_credential"),
        **_kinds(_boolean, "exclude_visual_studio_code_credential exclude_shared_token_cache_credential"),
        "exclude_managed_identity_credential": _boolean,
        **_kinds(_integer, "timeout read_timeout connection_timeout"),
    },
    "ssh": {
        **_COMMON,
        "type": _links,
        **_kinds(_text, "user password passphrase keyfile"),
        **_kinds(_boolean, "ask_password ask_passphrase gss_auth allow_agent"),
        **_kinds(_integer, "port timeout max_sessions"),
    },
    "hdfs": {**_COMMON, **_kinds(_text, "user kerb_ticket"), "replication": _never},
    "webhdfs": {
        **_COMMON,
        **_kinds(_text, "kerberos_principal proxy_to token user password data_proxy_target"),
        **_kinds(_boolean, "kerberos use_https"),
        "ssl_verify": _flag_or_text,
    },
    "oss": {**_COMMON, **_kinds(_text, "oss_key_id oss_key_secret oss_endpoint")},
    "gdrive": {
        **_COMMON,
        **_kinds(_text, "profile gdrive_client_id gdrive_client_secret gdrive_user_credentials_file"),
        **_kinds(_text, "gdrive_service_account_user_email gdrive_service_account_json_file_path"),
        **_kinds(_boolean, "gdrive_use_service_account gdrive_trash_only gdrive_acknowledge_abuse"),
    },
    "http": _HTTP,
    "https": _HTTP,
    "webdav": _WEBDAV,
    "webdavs": _WEBDAV,
}
SECTIONS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "core": {
        **_kinds(_lower, "remote machine"),
        "checksum_jobs": _at_least_one,
        **_kinds(_boolean, "interactive analytics hardlink_lock no_scm autostage experiments check_update"),
        "site_cache_dir": _text,
    },
    "cache": {"dir": _text, **_LINKED, **_kinds(_text, "local s3 gs hdfs webhdfs ssh azure")},
    "parsing": {"bool": _one_of("store_true", "boolean_optional"), "list": _one_of("nargs", "append")},
    "plots": {**_kinds(_text, "html_template out_dir"), "auto_open": _boolean},
    "exp": {**_kinds(_text, "code data models metrics params plots live git_remote"), "auto_push": _boolean},
    "hydra": {**_kinds(_text, "config_dir config_module config_name plugins_path"), "enabled": _boolean},
    "studio": {**_kinds(_text, "token url repo_url"), "offline": _boolean},
    "state": {"dir": _text, "row_limit": _at_least_one, "row_cleanup_quota": _between(0, 100)},
    "index": _kinds(_text, "dir"),
}
NAMED: Final[Mapping[str, Mapping[str, Kind]]] = {
    "machine": {
        "cloud": _one_of("aws", "azure"),
        "region": _one_of("us-west", "us-east", "eu-west", "eu-north"),
        "spot": _boolean,
        "spot_price": _number,
        "instance_hdd_size": _integer,
        **_kinds(_text, "image instance_type instance_gpu ssh_private startup_script setup_script"),
    },
    "db": _kinds(_text, "url username password"),
}
"""Sections that have a name beside their kind, as remotes do; they mean nothing here."""

UNCHECKED: Final = frozenset({"feature"})
PATHS: Final = frozenset(
    {
        "url",
        "credentialpath",
        "configpath",
        "keyfile",
        "cert_path",
        "key_path",
        "gdrive_user_credentials_file",
        "gdrive_service_account_json_file_path",
    }
)
