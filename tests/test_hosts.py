"""Which hosts a callback may name, however they are spelled."""

import pytest

from veogen.models.parameters import check_callback

LONG = "a" * 63


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/veogen",
        "https://hooks.example.com:8443/veogen?shot=boat#end",
        "https://hooks.example.com./veogen",
        "https://HOOKS.Example.COM",
        "https://hooks_1.example.com",
        "https://bücher.example/done",
        "https://xn--bcher-kva.example/done",
        "https://8.8.8.8/done",
        "https://134744072/done",
        "https://0x08.010.8.8/done",
        "https://[2606:4700::1111]/done",
        "https://localhost.example.com",
        "https://127.0.0.1.example.com",
    ],
)
def test_a_public_https_address_is_taken(url: str) -> None:
    assert check_callback(url) is None


@pytest.mark.parametrize(
    ("host", "told"),
    [
        pytest.param("localhost", "localhost", id="localhost"),
        pytest.param("LOCALHOST", "localhost", id="in capitals"),
        pytest.param("localhost.", "localhost", id="a trailing dot"),
        pytest.param("localhost:8443", "localhost", id="a port"),
        pytest.param("a.localhost", "a.localhost", id="below localhost"),
        pytest.param("\u24dbocalhost", "localhost", id="localhost in circled letters"),
        pytest.param("printer", "printer", id="no dot"),
        pytest.param("printer.local", "printer.local", id="local"),
        pytest.param("db.prod.internal", "db.prod.internal", id="internal"),
        pytest.param("nas.home.arpa", "nas.home.arpa", id="home"),
        pytest.param("127.0.0.1", "127.0.0.1", id="loopback"),
        pytest.param("127.0.0.1.", "127.0.0.1", id="loopback with a trailing dot"),
        pytest.param("127.0.0.1:443", "127.0.0.1", id="loopback with a port"),
        pytest.param("127\u30020\u30020\u30021", "127.0.0.1", id="loopback with ideographic dots"),
        pytest.param("\uff11\uff12\uff17.0.0.1", "127.0.0.1", id="loopback in wide digits"),
        pytest.param("127.1", "127.1", id="two parts"),
        pytest.param("0x7f.1", "0x7f.1", id="hexadecimal"),
        pytest.param("0x7f000001", "0x7f000001", id="one hexadecimal number"),
        pytest.param("0177.0.0.1", "0177.0.0.1", id="octal"),
        pytest.param("2130706433", "2130706433", id="one number"),
        pytest.param("0", "0", id="zero"),
        pytest.param("256.256.256.256", "256.256.256.256", id="no address, but no name either"),
        pytest.param("example.0x", "example.0x", id="a name that ends as a number"),
        pytest.param("10.0.0.8", "10.0.0.8", id="10"),
        pytest.param("172.16.0.1", "172.16.0.1", id="172.16"),
        pytest.param("192.168.1.1", "192.168.1.1", id="192.168"),
        pytest.param("169.254.169.254", "169.254.169.254", id="link-local"),
        pytest.param("100.64.0.1", "100.64.0.1", id="shared by a provider"),
        pytest.param("224.0.0.1", "224.0.0.1", id="multicast"),
        pytest.param("[::1]", "::1", id="IPv6 loopback"),
        pytest.param("[::1]:8443", "::1", id="IPv6 loopback with a port"),
        pytest.param("[::]", "::", id="IPv6 nowhere"),
        pytest.param("[fd00::1]", "fd00::1", id="IPv6 private"),
        pytest.param("[fe80::1]", "fe80::1", id="IPv6 link-local"),
        pytest.param("[::ffff:127.0.0.1]", "::ffff:127.0.0.1", id="IPv4 in IPv6"),
        pytest.param("[64:ff9b::a00:1]", "64:ff9b::a00:1", id="IPv4 behind NAT64"),
        pytest.param("[2002:7f00:1::]", "2002:7f00:1::", id="IPv4 behind 6to4"),
        pytest.param("ex%61mple.com", "ex%61mple.com", id="escaped"),
        pytest.param("a..example.com", "a..example.com", id="an empty part"),
        pytest.param(f"{LONG}a.example.com", f"{LONG}a.example.com", id="a long part"),
        pytest.param(
            ".".join([LONG] * 4 + ["com"]), ".".join([LONG] * 4 + ["com"]), id="a long name"
        ),
    ],
)
def test_a_host_that_is_not_public_is_refused_however_it_is_spelled(host: str, told: str) -> None:
    assert check_callback(f"https://{host}/done") == f"names a public host, not {told!r}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://hooks.example.com/", id="http"),
        pytest.param("http://0x7f.1/", id="http to a number"),
        pytest.param("ftp://hooks.example.com/", id="another scheme"),
        pytest.param("hooks.example.com/done", id="no scheme"),
        pytest.param("https:///done", id="no host"),
        pytest.param("https://", id="nothing"),
        pytest.param("https://hooks.example.com:0/", id="port 0"),
        pytest.param("https://hooks.example.com:99999/", id="a port that is none"),
        pytest.param("https://hooks.example.com:x/", id="a port of letters"),
        pytest.param("https://[::1/", id="half a bracket"),
        pytest.param("https://hooks.example.com/a b", id="a space"),
        pytest.param(" https://hooks.example.com/", id="a space before it"),
        pytest.param("https://hooks.exa\tmple.com/", id="a tab, which clients drop"),
        pytest.param("https://hooks.example.com\\@127.0.0.1/", id="a backslash"),
        pytest.param("https://hooks.example.com/\x7f", id="a control character"),
    ],
)
def test_what_is_no_https_url_is_refused(url: str) -> None:
    assert check_callback(url) == f"is an https URL, not {url!r}"


@pytest.mark.parametrize("user", ["me", "me:secret", ":secret", ""])
def test_credentials_are_refused_and_not_repeated(user: str) -> None:
    assert check_callback(f"https://{user}@hooks.example.com/") == "holds no user name or password"
