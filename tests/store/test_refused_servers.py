"""Servers of S3 that write over what is there: no store, and found out before anything is sent."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.stores import ENVIRON, serving

from veogen.executor.options import SystemClock
from veogen.store.cloud import connect
from veogen.store.location import StoreLocation
from veogen.store.member import Identity
from veogen.store.objects import StoreError
from veogen.store.opening import Store
from veogen.store.promises import check, refuse_broken
from veogen.store.signs import Patience

pytestmark = pytest.mark.slow

NANIO = Path(sys.executable).with_name("nanio")


@pytest.fixture
def nanio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "data/clips").mkdir(parents=True)
    monkeypatch.setenv("NANIO_ACCESS_KEY", ENVIRON["AWS_ACCESS_KEY_ID"])
    monkeypatch.setenv("NANIO_SECRET_KEY", ENVIRON["AWS_SECRET_ACCESS_KEY"])
    folder = str(tmp_path / "data")
    command = [str(NANIO), "serve", "--data-dir", folder, "--host", "127.0.0.1"]
    command += ["--port", "{port}", "--no-access-log"]
    with serving(command, tmp_path) as port:
        yield store_at(port, monkeypatch)


@pytest.fixture
def s3rver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "s3rver@3.7.1"]
    subprocess.run(install, cwd=tmp_path, check=True, timeout=110)
    node = shutil.which("node")
    assert node
    command = [
        node, "node_modules/s3rver/bin/s3rver.js", "-a", "127.0.0.1", "-p", "{port}",
        "-d", str(tmp_path / "data"), "--configure-bucket", "clips",
    ]  # fmt: skip
    with serving(command, tmp_path) as port:
        yield store_at(port, monkeypatch, key="S3RVER")  # the only one that it knows


def store_at(port: int, monkeypatch: pytest.MonkeyPatch, *, key: str = "test") -> Store:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    location = StoreLocation.of("s3://clips/a")
    clock = SystemClock()
    objects = connect(location, os.environ, clock, patience=5.0)
    return Store(objects, location, clock, Patience())


@pytest.mark.parametrize("server", ["nanio", "s3rver"])
def test_it_is_refused_when_it_is_opened_and_when_it_is_checked(
    server: str, request: pytest.FixtureRequest
) -> None:
    store: Store = request.getfixturevalue(server)

    with pytest.raises(StoreError, match="writes over what is there"):
        store.join("run", "evolink", Identity("ada.1", "ada"))
    with pytest.raises(StoreError, match="cannot be used"):
        refuse_broken(check(store.objects))
