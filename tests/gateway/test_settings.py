"""What the environment decides, and the mistakes it can hold."""

from pathlib import Path

import pytest

from veogen.errors import ExitCode, UsageError
from veogen.gateway.pool import certificates
from veogen.gateway.settings import Proxies, Settings, from_environment

KEY = "sk-evo-0123456789"


def test_a_key_is_all_that_is_needed() -> None:
    assert from_environment({"EVOLINK_API_KEY": KEY}) == Settings(
        key=KEY,
        base_url="https://api.evolink.ai",
        files_url="https://files-api.evolink.ai",
    )


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param(" \n", id="blank"),
        pytest.param(f"{KEY}\n", id="a line end"),
        pytest.param(f" {KEY}", id="a space"),
        pytest.param(f"{KEY}\r\nX-Evil: 1", id="a header"),
        pytest.param(f"{KEY}\x00", id="a control character"),
        pytest.param(f"{KEY}é", id="a letter of no key"),
        pytest.param("\u201csk-evo\u201d", id="quotes"),
    ],
)
def test_a_key_that_is_none_is_named_by_its_variable_and_not_shown(key: str | None) -> None:
    environ = {} if key is None else {"EVOLINK_API_KEY": key}

    with pytest.raises(UsageError) as caught:
        from_environment(environ)

    assert caught.value.exit_code == ExitCode.USAGE
    assert str(caught.value).startswith("EVOLINK_API_KEY ")
    assert "sk-evo" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://localhost:8123/", "http://localhost:8123"),
        ("http://[::1]:8123", "http://[::1]:8123"),
        ("https://proxy.example/evolink/", "https://proxy.example/evolink"),
        ("", "https://api.evolink.ai"),
    ],
)
def test_the_gateway_may_be_elsewhere(url: str, read: str) -> None:
    assert from_environment({"EVOLINK_API_KEY": KEY, "EVOLINK_BASE_URL": url}).base_url == read


@pytest.mark.parametrize("name", ["EVOLINK_BASE_URL", "EVOLINK_FILES_URL"])
@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("http://api.evolink.ai", "is plain http, which is accepted for this machine only:"),
        ("http://10.0.0.1", "is plain http"),
        ("http://localhost.evil.example", "is plain http"),
        ("http://127.0.0.1.evil.example", "is plain http"),
        ("ftp://api.evolink.ai", "is not an https URL"),
        ("api.evolink.ai", "is not an https URL"),
        ("https://", "is not an https URL"),
        ("https://a:99999", "is not a URL"),
        ("https://[", "is not a URL"),
        ("https://user:word@api.evolink.ai", "holds a user name or password"),
        ("http://127.0.0.1@api.evolink.ai", "holds a user name or password"),
        ("https://api.evolink.ai?x=1", "is an address without query"),
        ("https://api.evolink.ai/#x", "is an address without query"),
        ("https://api.evolink.ai/a b", "holds white space"),
        ("https://api.evol\u0456nk.ai", "holds white space"),
    ],
)
def test_an_address_that_will_not_do_is_a_mistake(name: str, url: str, mistake: str) -> None:
    with pytest.raises(UsageError, match=f"{name} {mistake}") as caught:
        from_environment({"EVOLINK_API_KEY": KEY, name: url})

    assert "word" not in str(caught.value).removeprefix(f"{name} holds a user name or password")


def test_nothing_shows_the_key_of_the_settings() -> None:
    assert KEY not in repr(from_environment({"EVOLINK_API_KEY": KEY}))


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://api.evolink.ai", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://api.evolink.ai", "http://p:1"),
        ({"HTTPS_PROXY": "p.example:1"}, "https://api.evolink.ai", "http://p.example:1"),
        ({"HTTPS_PROXY": "u:w@10.0.0.1:1"}, "https://api.evolink.ai", "http://u:w@10.0.0.1:1"),
        ({"all_proxy": "http://p:1"}, "https://api.evolink.ai", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "http://127.0.0.1:8080", None),
        ({"https_proxy": "http://p:1"}, "https://localhost:8080", None),
        ({"https_proxy": "http://p:1", "NO_PROXY": "*"}, "https://api.evolink.ai", None),
        (
            {"https_proxy": "http://p:1", "NO_PROXY": "a,.evolink.ai"},
            "https://api.evolink.ai",
            None,
        ),
        ({"https_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "https://10.1.2.3", None),
        ({"https_proxy": "http://p:1", "no_proxy": "link.ai"}, "https://evolink.ai", "http://p:1"),
    ],
)
def test_a_proxy_is_used_as_other_programs_use_it(
    environ: dict[str, str], url: str, proxy: str | None
) -> None:
    assert Proxies.from_environment(environ).for_url(url) == proxy


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        *(
            ({"HTTPS_PROXY": url}, "HTTPS_PROXY is not an http or https URL")
            for url in ("socks5://p:1", "http://", "http://p:99999", "http://[::1", "p:x", "p 1")
        ),
        ({"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, "REQUESTS_CA_BUNDLE names no file: /nowhere.pem"),
    ],
)
def test_the_way_to_the_gateway_can_be_mistaken_too(environ: dict[str, str], mistake: str) -> None:
    with pytest.raises(UsageError, match=mistake):
        from_environment({"EVOLINK_API_KEY": KEY, **environ})


def test_a_bundle_of_certificates_is_taken_from_the_environment(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()

    settings = from_environment({"EVOLINK_API_KEY": KEY, "SSL_CERT_FILE": str(bundle)})

    assert settings.ca_bundle == str(bundle)


def test_a_bundle_without_certificates_is_a_mistake(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("not one")

    with pytest.raises(UsageError, match=r"ca\.pem: there is no certificate in it$"):
        certificates(str(bundle))


@pytest.mark.parametrize("url", ["https://api.evolink.ai/v1", "https://api.evolink.ai/v1/"])
def test_a_base_with_the_version_of_the_api_says_what_the_base_is(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_environment({"EVOLINK_API_KEY": KEY, "EVOLINK_BASE_URL": url})

    assert str(caught.value) == (
        "EVOLINK_BASE_URL is the address before /v1, which veogen adds by itself: "
        "https://api.evolink.ai"
    )
