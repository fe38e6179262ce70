"""Encrypted connections, to the redis-server of the system where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis

from sessionkit import BackendUnavailableError, open_store

SERVER = shutil.which("redis-server", path="/usr/bin:/usr/local/bin")  # packages of Python bring one without TLS
OPENSSL = shutil.which("openssl")

pytestmark = pytest.mark.skipif(
    SERVER is None or OPENSSL is None, reason="the system has no redis-server (with TLS) or no openssl"
)


@attrs.frozen
class Encrypted:
    """A server that speaks TLS only."""

    port: int
    certificate: Path


@pytest.fixture(scope="module")
def encrypted(free_ports: Callable[[int], list[int]], until: Callable[..., None]) -> Iterator[Encrypted]:
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="sk-tls-") as name:
        certificate, key = Path(name, "cert.pem"), Path(name, "key.pem")
        make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([str(OPENSSL), *make], check=True, capture_output=True)
        settings = {"port": 0, "tls-port": port, "bind": "127.0.0.1", "dir": name, "save": "", "tls-auth-clients": "no"}
        settings |= {"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate}
        command = [str(SERVER), *(part for item in settings.items() for part in (f"--{item[0]}", str(item[1])))]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        client: Any = redis.Redis(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=str(certificate))
        try:
            with client:
                until(client.ping)
            yield Encrypted(port, certificate)
        finally:
            process.kill()
            process.wait()


def test_a_server_whose_certificate_is_trusted_is_used(encrypted: Encrypted) -> None:
    url = f"rediss://127.0.0.1:{encrypted.port}?tls_ca={encrypted.certificate}"
    with open_store(url, on_write_error="raise") as store:
        store.add_message("k", "user", "hello")
        assert [message.text for message in store.get_history("k")] == ["hello"]


def test_a_server_whose_certificate_nobody_knows_is_refused(encrypted: Encrypted) -> None:
    with pytest.raises(BackendUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        open_store(f"rediss://127.0.0.1:{encrypted.port}?deadline=0.1")


def test_a_plain_connection_to_an_encrypted_port_is_an_error(encrypted: Encrypted) -> None:
    with pytest.raises(BackendUnavailableError, match="cannot be reached"):
        open_store(f"redis://:s3cret@127.0.0.1:{encrypted.port}?deadline=0.1")


def test_an_encrypted_connection_to_a_plain_port_is_an_error(cluster: Any) -> None:
    with pytest.raises(BackendUnavailableError, match="cannot be reached"):
        open_store(f"rediss://127.0.0.1:{cluster.ports[0]}?deadline=0.1")
