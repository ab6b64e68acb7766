"""Azure Blob Storage: ways to sign in, what is refused, and in which words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from azure.identity import ClientSecretCredential, DefaultAzureCredential

from runner.errors import ConfigError, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Hash, hash_bytes
from runner.store import azure_client
from runner.store.azure import Azure
from runner.store.azure_parts import BLOCK
from runner.store.cache import Cache
from runner.store.protocols import Changed
from runner.store.remote import Retrying, open_remote
from runner.store.source import open_source
from tests.support.asking import NAME, calls, content_of
from tests.support.azure import ACCOUNT, KEY, Server, Tokens, guarded
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.store.source import SourceStore
    from tests.support.faulty import FaultyS3

pytestmark = pytest.mark.slow

OTHER_KEY = "b3RoZXI="


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    return source


@pytest.mark.parametrize("credential", [f"AccountKey={OTHER_KEY}", ""], ids=["a wrong key", "no key"])
def test_wrong_or_no_credentials_are_a_refusal_and_not_an_absence(
    azurite: Server, source: Path, credential: str
) -> None:
    remote = open_remote(
        "azure://container/denied", {"connection_string": azurite.with_credential(credential)}, environ={}
    )
    for call in calls(remote, source):
        with pytest.raises(Denied, match=rf"azure://container/denied \(account {ACCOUNT}\): Auth") as caught:
            call()
        assert any(word in caught.value.hint for word in ("key", "public"))
    assert isinstance(remote, Retrying)
    assert remote.retries == 0


def test_a_signature_that_may_only_read_reads_and_says_what_it_lacks(azurite: Server, source: Path) -> None:
    azurite.remote("signed").put(NAME, source)
    signed = f"SharedAccessSignature={azurite.signature('r')}"
    remote = azurite.remote("signed", connection_string=azurite.with_credential(signed))
    assert content_of(remote) == b"content"
    assert remote.exists([NAME]) == {NAME: 7}
    with pytest.raises(Denied):
        remote.put(NAME, source)
    with pytest.raises(Denied):
        list(remote.names(""))


def test_a_signature_that_has_expired_says_so(azurite: Server) -> None:
    signed = f"SharedAccessSignature={azurite.signature('rwl', hours=-1)}"
    remote = azurite.remote("signed", connection_string=azurite.with_credential(signed))
    with pytest.raises(Denied) as caught:
        content_of(remote)
    assert "the signature has expired" in caught.value.hint


def test_what_many_threads_ask_is_known_although_listing_is_refused(azurite: Server, source: Path) -> None:
    azurite.remote("unlisted").put(NAME, source)
    signed = f"SharedAccessSignature={azurite.signature('r')}"
    remote = azurite.remote("unlisted", connection_string=azurite.with_credential(signed))
    assert remote.exists([NAME, *(f"files/md5/ab/{number}" for number in range(50))]) == {NAME: 7}


def test_a_public_container_is_read_without_credentials(azurite: Server, source: Path) -> None:
    Azure.open("azure://public/shown", azurite.options, {}).put(NAME, source)
    anonymous = {"connection_string": azurite.with_credential("")}
    remote = Azure.open("azure://public/shown", anonymous, {})
    assert content_of(remote) == b"content"
    assert list(remote.names("")) == [NAME]
    with pytest.raises(ObjectMissing):
        remote.get("files/md5/ab/none", Collected())


@pytest.mark.parametrize("place", ["azure://not-there/x", "azure://not-there"])
def test_no_such_container_is_said_in_those_words(azurite: Server, source: Path, place: str) -> None:
    for call in calls(Azure.open(place, azurite.options, {}), source):
        with pytest.raises(RemoteError, match="there is no such container") as caught:
            call()
        assert not isinstance(caught.value, ObjectMissing)


def test_an_unreachable_account_is_unavailable_within_the_budget(source: Path) -> None:
    string = f"AccountName=a;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:9/a"
    waits: list[float] = []
    remote = Retrying(Azure.open("azure://c", {"connection_string": string}, {}), budget=1, sleep=waits.append)
    for call in calls(remote, source):
        with pytest.raises(Unavailable, match=r"azure://c \(account a\): ") as caught:
            call()
        assert "Max retries" not in str(caught.value)
    assert waits


def test_a_blob_of_several_blocks_is_whole(azurite: Server, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * (2 * BLOCK // 256) + b"end")
    remote = azurite.remote("large")
    told: list[int] = []
    remote.put(NAME, source, told.append)
    assert sum(told) == source.stat().st_size
    committed, _ = azurite.client.get_blob_client("container", f"large/{NAME}").get_block_list()
    assert [block.size for block in committed] == [BLOCK, BLOCK, 3]
    assert content_of(remote) == source.read_bytes()


def test_a_large_blob_comes_in_parts_of_one_version(azurite: Server, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(1 << 20) * 30)
    remote = azurite.remote("ranged")
    remote.put(NAME, source)
    assert content_of(Retrying(remote, budget=5)) == source.read_bytes()
    version, arriving = remote.begin(NAME)
    arriving.close()
    assert version.size == 30 << 20
    assert b"".join(remote.read(NAME, version, 10, 20)) == source.read_bytes()[10:20]
    source.write_bytes(b"another")
    remote.put(NAME, source)
    with pytest.raises(Changed, match="is another than before"):
        remote.read(NAME, version, 10, 20)
    remote.remove([NAME])
    with pytest.raises(Changed):
        remote.read(NAME, version, 10, 20)


@pytest.mark.parametrize("size", [7, 2 << 20, (16 << 20) + 1], ids=["one request", "a larger one", "blocks"])
def test_what_is_there_already_is_not_replaced_unless_it_is_of_another_size(
    azurite: Server, tmp_path: Path, size: int
) -> None:
    remote = azurite.remote(f"create-{size}")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(b"o" * size)
    theirs.write_bytes(b"t" * size)
    remote.create(NAME, theirs)
    remote.create(NAME, ours)
    assert content_of(remote) == theirs.read_bytes()
    theirs.write_bytes(b"a part of it, as a broken tool left it"[: size - 1])
    remote.put(NAME, theirs)
    remote.create(NAME, ours)
    assert content_of(remote) == ours.read_bytes()


def test_two_writers_of_blocks_leave_the_blob_of_one_of_them(azurite: Server, tmp_path: Path) -> None:
    sources = [tmp_path / "a", tmp_path / "b"]
    for source in sources:
        source.write_bytes(source.name.encode() * (BLOCK + 1))
    remote = azurite.remote("both")
    uploads = [remote.upload(NAME, source, only_new=True) for source in sources]
    for number in (0, 1):
        for upload in uploads:
            assert upload
            upload.send(number)
    for upload in uploads:
        assert upload
        upload.finish()
    assert content_of(remote) == sources[0].read_bytes()


@pytest.mark.parametrize(
    "stray",
    [
        {"AZURE_STORAGE_ACCOUNT_KEY": OTHER_KEY, "AZURE_STORAGE_ACCOUNT_NAME": "other"},
        {"AZURE_STORAGE_SAS_TOKEN": "sig=x", "AZURE_STORAGE_SAS_KEY": "sig=x"},
        {"AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t", "AZURE_CLIENT_SECRET": "s", "AZURE_STORAGE_TOKEN": "x"},
        {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURE_SKIP_SIGNATURE": "true", "AZURE_ENDPOINT": "http://127.0.0.1:9"},
        {"AZURE_FEDERATED_TOKEN_FILE": "/none", "AZURE_USE_AZURE_CLI": "true", "AZURE_USE_FABRIC_ENDPOINT": "true"},
    ],
    ids=lambda stray: next(iter(stray)),
)
def test_variables_that_obstore_knows_by_itself_decide_nothing(
    azurite: Server, source: Path, monkeypatch: pytest.MonkeyPatch, stray: dict[str, str]
) -> None:
    for name, value in stray.items():
        monkeypatch.setenv(name, value)
    remote = azurite.remote("stray")
    remote.put(NAME, source)
    assert content_of(remote) == b"content"
    assert remote.exists([NAME]) == {NAME: 7}


def test_a_container_need_have_no_path_behind_it(azurite: Server, source: Path) -> None:
    azurite.client.create_container("whole")
    remote = Azure.open("azure://whole", azurite.options, {})
    remote.put(NAME, source)
    assert list(remote.names("files/")) == [NAME]
    assert remote.url == "azure://whole"


@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_connection_string_comes_from_the_environment_or_from_azures_own_file(
    azurite: Server, source: Path, tmp_path: Path, where: str
) -> None:
    environ = {
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "AZURE_STORAGE_CONTAINER_NAME": "container",
    }
    if where == "file":
        (tmp_path / ".azure").mkdir()
        text = f"[storage]\nconnection_string = {azurite.connection_string}\ncontainer_name = container\n"
        (tmp_path / ".azure" / "config").write_text(text)
        environ = {"HOME": str(tmp_path)}
    remote = open_remote("azure:///environ", {}, environ=environ)
    remote.put(NAME, source)
    assert content_of(azurite.remote("environ")) == b"content"


def account(options: dict[str, object], environ: dict[str, str]) -> azure_client.Account:
    return azure_client.connect("azure://container", options, environ).account


def test_options_and_variables_are_taken_in_the_order_of_dvc() -> None:
    named: dict[str, object] = {"account_name": "mine"}
    variables = {"AZURE_STORAGE_ACCOUNT": "theirs", "AZURE_STORAGE_KEY": OTHER_KEY, "AZURE_STORAGE_SAS_TOKEN": "sig=x"}
    assert account({}, variables) == azure_client.Account(
        "theirs", "https://theirs.blob.core.windows.net", key=OTHER_KEY
    )
    assert account(named | {"account_key": KEY}, variables).key == KEY
    assert account(named, {"AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=x"}).sas == "sv=1&sig=x"
    assert account(named | {"allow_anonymous_login": True}, {}).anonymous
    string = f"DefaultEndpointsProtocol=https;AccountName=whole;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn"
    assert account(named | {"account_key": KEY}, {"AZURE_STORAGE_CONNECTION_STRING": string}).endpoint == (
        "https://whole.blob.core.chinacloudapi.cn"
    )


def test_a_service_principal_and_the_default_chain_sign_in_through_azure_identity() -> None:
    principal: dict[str, Any] = {"account_name": "a", "tenant_id": "t-1", "client_id": "c", "client_secret": "s"}
    assert isinstance(account(principal, {}).token, ClientSecretCredential)
    chain = account({"account_name": "a"}, {}).token
    shorter = account({"account_name": "a", "exclude_managed_identity_credential": True}, {}).token
    assert isinstance(chain, DefaultAzureCredential)
    assert isinstance(shorter, DefaultAzureCredential)
    left_out = {type(one).__name__ for one in chain.credentials} - {type(one).__name__ for one in shorter.credentials}
    assert left_out == {"ManagedIdentityCredential"}


def test_tokens_are_shown_to_an_account_with_a_certificate_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path
) -> None:
    with guarded(tmp_path, monkeypatch) as server:
        tokens = Tokens(3600)
        named = azure_client.Account(ACCOUNT, f"{server.endpoint}/{ACCOUNT}", token=tokens)
        remote = Azure(azure_client.reach(named, "container", "signed-in", (10, 10)))
        remote.put(NAME, source)
        assert content_of(remote) == b"content"
        assert list(remote.names("")) == [NAME]
        assert remote.exists([f"files/md5/ab/{number}" for number in range(10)]) == {}
        assert tokens.given == 2, "each client keeps its token while it is good"
        expired = azure_client.Account(ACCOUNT, f"{server.endpoint}/{ACCOUNT}", token=Tokens(-600))
        with pytest.raises(Denied):
            content_of(Azure(azure_client.reach(expired, "container", "signed-in", (10, 10))))
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
        stranger = Azure(azure_client.reach(named, "container", "signed-in", (10, 10)))
        for call in calls(stranger, source):
            with pytest.raises(RemoteError, match="certificate") as caught:
                call()
            assert not isinstance(caught.value, Unavailable)


class _Refused:
    """A chain of credentials that finds none."""

    def get_token(self, *_: str, **__: Any) -> Any:
        from azure.identity import CredentialUnavailableError  # noqa: PLC0415 - for this one test

        message = "nothing is set\nand a long list follows"
        raise CredentialUnavailableError(message)


def test_a_chain_that_finds_no_credentials_is_a_refusal(source: Path) -> None:
    found = azure_client.Account("a", "https://127.0.0.1:9", token=_Refused())
    remote = Azure(azure_client.reach(found, "container", "", (1, 1)))
    for call in calls(remote, source):
        with pytest.raises(
            Denied, match=r"no usable credentials: (CredentialUnavailableError: )?nothing is set\n"
        ) as caught:
            call()
        assert "docs/remotes.md" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("azure://c", {}, "names no account"),
        ("azure://", {"account_name": "a"}, "names no container"),
        ("azure://c", {"account_name": "a", "account_key": "not base64!"}, "is not base64"),
        ("azure://c", {"connection_string": "nonsense"}, "the connection string names no account"),
        ("azure://c", {"connection_strin": "x"}, "unknown option 'connection_strin'"),
        ("azure://c", {"account_name": "a", "version_aware": True}, "'version_aware' is not supported"),
        ("azure://c", {"account_name": "a", "tenant_id": "a/b", "client_id": "c", "client_secret": "s"}, "tenant"),
    ],
)
def test_what_cannot_be_an_account_is_said_before_anything_is_asked(
    url: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        open_remote(url, options, environ={})


def test_no_secret_is_shown() -> None:
    shown = repr(account({"account_name": "a", "account_key": KEY}, {}))
    assert KEY not in shown
    assert "Account" in shown


# A server that speaks no Azure, and misbehaves: all that reading one blob needs is HTTP.


@pytest.fixture
def broken(misbehaving: FaultyS3) -> Iterator[FaultyS3]:
    misbehaving.objects[NAME] = os.urandom(100_000)
    yield misbehaving
    misbehaving.reset()


def azure_on(server: FaultyS3, **options: object) -> Retrying:
    string = f"AccountName=a;AccountKey={KEY};BlobEndpoint={server.endpoint}"
    azure = Azure.open("azure://bucket", {"connection_string": string} | options, {})
    return Retrying(azure, budget=10, sleep=lambda _: None)


@pytest.mark.parametrize("faults", [["503", "500", "429"], ["cut"], ["cut", "503", "cut"]], ids=str)
def test_what_passes_is_tried_again(broken: FaultyS3, faults: list[str]) -> None:
    broken.faults = list(faults)
    remote = azure_on(broken)
    assert content_of(remote) == broken.objects[NAME]
    assert remote.retries == len(faults)


@pytest.mark.parametrize("fault", ["503", "cut", "silent", "stall"])
def test_what_does_not_pass_is_given_up_and_nothing_gets_its_final_name(
    broken: FaultyS3, tmp_path: Path, fault: str
) -> None:
    broken.always = fault
    name = Hash(hash_bytes(broken.objects[NAME]))
    cache = Cache(tmp_path)
    remote = azure_on(broken, read_timeout=1)
    remote = Retrying(remote._remote, budget=0.1, sleep=lambda _: None)
    with pytest.raises(Unavailable), cache.write(name) as sink:
        remote.get(NAME, sink)
    assert not cache.has(name)


def test_azures_client_tells_how_long_the_server_asks_to_wait(broken: FaultyS3, source: Path) -> None:
    source.write_bytes(bytes(2 << 20))  # more than obstore sends, which does not tell
    broken.faults = ["wait 7"]
    with pytest.raises(Unavailable) as caught:
        azure_on(broken)._remote.put(NAME, source)
    assert caught.value.after == 7


def source_of(azurite: Server, url: str) -> SourceStore:
    return open_source(url, azurite.options, environ={})


def test_blobs_are_sources_that_are_known_by_etag(azurite: Server, tmp_path: Path) -> None:
    for name, content in {"goods/a": b"a", "goods/in/ü b": b"b"}.items():
        (tmp_path / "source").write_bytes(content)
        azurite.remote("shop").put(name, tmp_path / "source")
    url = "azure://container/shop/goods"
    store = source_of(azurite, url)
    one = store.find(f"{url}/a", folder=False, versioned=False)
    assert one
    assert one.hash.name == "etag"
    assert one.hash.value.startswith('"0x')
    folder = store.find(url, folder=False, versioned=False)
    assert folder == store.find(url, folder=True, versioned=False)
    assert folder
    assert [(part.relpath, part.size) for part in folder.parts] == [("a", 1), ("in/ü b", 1)]
    assert folder.parts[0].hash == one.hash, "in a listing Azure leaves the quotes out"
    sink = Collected()
    store.get(url, folder.parts[1], sink)
    assert bytes(sink.content) == b"b"
    assert store.find("azure://container/shop/none", folder=False, versioned=False) is None


def test_a_blob_that_is_no_longer_what_was_found_is_not_taken(azurite: Server, source: Path) -> None:
    url = "azure://container/moving/x"
    azurite.remote("moving").put("x", source)
    store = source_of(azurite, url)
    found = store.find(url, folder=False, versioned=False)
    assert found
    source.write_bytes(b"other content")
    azurite.remote("moving").put("x", source)
    with pytest.raises(ObjectMissing, match="does not hold what was found there any more"):
        store.get(url, found.parts[0], Collected())


def test_a_blob_that_stands_for_a_folder_is_no_file(azurite: Server, source: Path) -> None:
    azurite.remote("nested").put("goods/a", source)
    azurite.client.get_blob_client("container", "nested/goods").upload_blob(b"", metadata={"hdi_isfolder": "true"})
    url = "azure://container/nested/goods"
    found = source_of(azurite, url).find(url, folder=False, versioned=False)
    assert found
    assert found.is_dir
    assert [part.relpath for part in found.parts] == ["a"]


def test_versions_of_blobs_and_strangers_are_refused_by_name(azurite: Server) -> None:
    with pytest.raises(ConfigError, match="versions of blobs are not read"):
        source_of(azurite, "azure://container/x").find("azure://container/x", folder=False, versioned=True)
    with pytest.raises(RemoteError, match="somebody who is not trusted"):
        open_source("azure://container/x", azurite.options, environ={}, guarded=True)
