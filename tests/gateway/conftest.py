"""What the tests of the gateway share."""

import ssl
from pathlib import Path

import pytest

TLS = Path(__file__).parent / "tls"  # made by openssl for 127.0.0.1 and gateway.veogen.example


@pytest.fixture
def self_signed() -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS, and the bundle of certificates that trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return context, TLS / "certificate.pem"
