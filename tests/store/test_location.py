from collections.abc import Mapping

import pytest

from veogen.errors import UsageError
from veogen.store.location import StoreLocation, allows_http


@pytest.mark.parametrize(
    ("url", "location", "shown"),
    [
        ("s3://clips", StoreLocation("s3", "clips", ""), "s3://clips"),
        ("s3://clips/a/b/", StoreLocation("s3", "clips", "a/b"), "s3://clips/a/b"),
        ("gs://clips//a", StoreLocation("gs", "clips", "a"), "gs://clips/a"),
        ("az://clips/a", StoreLocation("az", "clips", "a"), "az://clips/a"),
        ("file:///mnt/a b", StoreLocation("file", "", "/mnt/a b"), "file:///mnt/a b"),
        ("file:///mnt/a%20b/", StoreLocation("file", "", "/mnt/a b"), "file:///mnt/a b"),
    ],
)
def test_a_store_is_a_bucket_with_a_prefix_or_a_folder(
    url: str, location: StoreLocation, shown: str
) -> None:
    assert (StoreLocation.of(url), location.url) == (location, shown)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clips",
        "/mnt/clips",
        "http://clips/a",
        "s3://",
        "s3:///a",
        "s3://a/../b",
        "s3://clips/a\nb",
        "s3://[clips",
        "file://host/a",
        "file:///",
        "file:///a/../b",
        "file:a",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        StoreLocation.of(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIAEXAMPLE:hunter2@clips/a",
        "s3://hunter2@clips",
        "az://clips/a?sig=hunter2",
        "gs://clips/a#hunter2",
    ],
)
def test_credentials_in_the_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="credentials") as raised:
        StoreLocation.of(url)

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "allowed"),
    [
        ({}, False),
        ({"AWS_ENDPOINT_URL": "https://s3.example.com"}, False),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"}, True),
        ({"AWS_ENDPOINT_URL_S3": "http://localhost:9000"}, True),
        ({"AZURE_STORAGE_ENDPOINT": "http://[::1]:10000"}, True),
        ({"OTHER_ENDPOINT": "http://example.com"}, False),
    ],
)
def test_plain_http_is_for_this_machine(environ: Mapping[str, str], *, allowed: bool) -> None:
    assert allows_http(environ) is allowed


@pytest.mark.parametrize("url", ["http://s3.example.com", "HTTP://10.0.0.1:9000", "http://["])
def test_plain_http_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL"):
        allows_http({"AWS_ENDPOINT_URL": url})
