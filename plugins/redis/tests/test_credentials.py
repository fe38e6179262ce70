"""Credential providers, by name and as objects, on a real server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from redis.credentials import CredentialProvider
from sessionkit_redis import credentials

from sessionkit import BackendUnavailableError, ConfigError, open_store

USER = "rotating"
SECRET = "token-of-the-tests"
MODULE = "sessionkit_test_credentials"


class Vault(CredentialProvider):
    """Gives what it holds at present."""

    def __init__(self) -> None:
        self.password = SECRET
        self.asked = 0
        self.error: Exception | None = None

    def get_credentials(self) -> tuple[str, str]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return USER, self.password


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A vault in a module that the configuration can name."""
    module: Any = ModuleType(MODULE)
    module.vault = Vault()
    module.Vault = Vault
    module.make = lambda: module.vault
    module.number = 7
    module.fails = lambda: int("token-in-a-text")
    monkeypatch.setitem(sys.modules, MODULE, module)
    found: Vault = module.vault
    return found


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with server.client() as client:
        client.acl_setuser(USER, enabled=True, reset=True, passwords=[f"+{SECRET}"], keys=["*"], commands=["+@all"])
        yield client
        client.acl_deluser(USER)


def settings(server: Any, provider: object) -> dict[str, Any]:
    number = next(server.numbers)
    options = {"socket": str(server.socket), "prefix": f"t{number}", "credential_provider": provider, "deadline": 0.2}
    return {"backend": "redis", "on_write_error": "raise", "backends": {"redis": options}}


@pytest.mark.parametrize("name", ["vault", "Vault", "make"])
def test_the_configuration_names_a_provider_or_what_makes_one(
    server: Any, client: Any, vault: Vault, name: str
) -> None:
    with open_store(server.url(credential_provider=f"{MODULE}:{name}")) as store:
        store.add_message("k", "user", "hello")
        assert [message.text for message in store.get_history("k")] == ["hello"]


def test_a_package_offers_a_provider_as_an_entry_point(
    server: Any, client: Any, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "vault_of_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vault-of-tests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{credentials.GROUP}]\nvault = {MODULE}:make\n")
    monkeypatch.syspath_prepend(tmp_path)
    with open_store(settings(server, "vault")) as store:
        store.add_message("k", "user", "hello")
    assert vault.asked


def test_a_program_hands_over_its_own_and_a_new_password_counts_for_new_connections(
    server: Any, client: Any, vault: Vault
) -> None:
    with open_store(settings(server, vault)) as store:
        store.add_message("k", "user", "before")
        client.execute_command("ACL SETUSER", USER, f"<{SECRET}", ">another")
        vault.password = "another"
        client.client_kill_filter(user=USER)
        store.add_message("k", "user", "after")
        assert [message.text for message in store.get_history("k")] == ["before", "after"]


def test_a_provider_that_fails_is_tried_again_and_its_text_is_not_shown(server: Any, client: Any, vault: Vault) -> None:
    vault.error = ValueError(f"cannot renew {SECRET}")
    with pytest.raises(BackendUnavailableError, match="the credential provider raised ValueError") as caught:
        open_store(settings(server, vault))
    assert vault.asked > 1
    assert SECRET not in str(caught.value)


def test_a_wrong_password_of_a_provider_is_told_at_once(server: Any, client: Any, vault: Vault) -> None:
    vault.password = "wrong"
    with pytest.raises(BackendUnavailableError, match="refuses the user name or password"):
        open_store(settings(server, vault))
    assert vault.asked == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{MODULE}:nothing", "cannot be used: AttributeError"),
        ("sessionkit_no_such_module:x", "cannot be used: ModuleNotFoundError"),
        (f"{MODULE}:number", "is no credential provider"),
        (f"{MODULE}:fails", "cannot be used: ValueError$"),
        ("nobody", "no installed package offers it"),
    ],
)
def test_a_name_of_nothing_usable_is_told(server: Any, vault: Vault, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        open_store(settings(server, name))


def test_a_password_beside_a_provider_is_refused(server: Any, vault: Vault) -> None:
    with pytest.raises(ConfigError, match="either it or username and password"):
        open_store(server.url(credential_provider=f"{MODULE}:vault", username="bot"))


def test_a_url_of_another_server_does_not_get_the_configured_provider(
    server: Any, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sessionkit.toml").write_text(f'[backends.redis]\ncredential_provider = "{MODULE}:vault"\n')
    monkeypatch.chdir(tmp_path)
    with open_store(server.url()) as store:
        store.add_message("k", "user", "hello")
    assert vault.asked == 0


def test_the_nodes_of_a_cluster_ask_the_provider(cluster: Any, vault: Vault) -> None:
    vault.password = ""
    vault.get_credentials = lambda: ("default", "")  # type: ignore[method-assign]
    with open_store(cluster.url(credential_provider=f"{MODULE}:vault")) as store:
        store.add_message("k", "user", "hello")
        assert [message.text for message in store.get_history("k")] == ["hello"]
