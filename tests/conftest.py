"""What tests of several rooms share, and what holds for all."""

import ssl
from pathlib import Path

import pytest
from hypothesis import settings

TLS = Path(__file__).parent / "gateway/tls"  # by openssl for 127.0.0.1 and gateway.veogen.example

# A busy machine is no failure: a test that has to be fast says so by itself.
settings.register_profile("busy", parent=settings(), deadline=None)
settings.load_profile("busy")


@pytest.fixture
def self_signed() -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS, and the bundle of certificates that trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context, TLS / "certificate.pem"
