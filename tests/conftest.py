"""What tests of several rooms share, and what holds for all."""

import os
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from support.project import Project, Shell
from support.stores import ENVIRON, SERVERS, make_bucket, serving
from support.virtual import World

TLS = Path(__file__).parent / "gateway/tls"  # by openssl for 127.0.0.1 and gateway.veogen.example

# Programs are started hundreds of times: they keep what they compile, whatever the shell says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no failure: a test that has to be fast says so by itself. The examples are new
# ones each time.
settings.register_profile("busy", parent=settings(), deadline=None, max_examples=60)
settings.load_profile("busy")


@pytest.fixture
def self_signed() -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS, and the bundle of certificates that trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context, TLS / "certificate.pem"


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], int]]:
    """The port of a server, started when it is first asked for."""
    ports: dict[str, int] = {}
    with ExitStack() as stack:

        def port(name: str) -> int:
            if name not in ports:
                folder = tmp_path_factory.mktemp(name)
                ports[name] = stack.enter_context(serving(SERVERS[name], folder))
                make_bucket(ports[name], "clips")
            return ports[name]

        yield port


@pytest.fixture
def store_url(
    request: pytest.FixtureRequest,
    s3_port: Callable[[str], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A store of the kind that the parameter says, empty."""
    if request.param == "folder":
        return f"file://{tmp_path}/store"
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3_port(request.param)}")
    return f"s3://clips/{tmp_path.name}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command line in a repository without files and in an environment without a key."""
    (tmp_path / ".git").mkdir()
    return Shell(tmp_path, capsys, {})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A run directory, a gateway and a clock that outlive one run."""
    return World(tmp_path / "trip")
