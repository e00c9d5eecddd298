"""What a call to a bucket comes to that fails, is lost, or is answered by somebody else's object."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore import exceptions
from obstore.store import MemoryStore
from support.stores import StoreTimeOfTests

from veogen.store import cloud
from veogen.store.cloud import CloudObjects
from veogen.store.location import StoreLocation
from veogen.store.objects import Objects, StoreAwayError, StoreError, TooLargeError

URL = "s3://clips/team"


class Bucket:
    """A bucket in memory; `fails` are raised by its next calls of a kind, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = StoreTimeOfTests()
        self.time.sleep(1000.0)  # the machine runs for longer than this
        self.store = MemoryStore()
        self.fails: list[Exception] = []
        self.calls: list[str] = []
        self.waits: list[float] = []
        for kind in ("put", "get", "head", "list", "list_with_delimiter", "rename"):
            monkeypatch.setattr(obstore, kind, self._failing(kind, getattr(obstore, kind)))
        location = StoreLocation("s3", "clips", "team")
        bucket: Any = self.store
        self.objects: Objects = CloudObjects(lambda: (bucket, bucket), location, self, 60.0)

    def _failing(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.calls.append(kind)
            if self.fails:
                raise self.fails.pop(0)
            return call(*arguments, **named)

        return called

    def monotonic(self) -> float:
        return self.time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time.sleep(seconds)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    return Bucket(monkeypatch)


def status(number: int, code: str = "") -> exceptions.GenericError:
    """An answer of a server, as obstore tells it."""
    body = f"<Error><Code>{code}</Code></Error>" if code else ""
    return exceptions.GenericError(f"Server returned, status code: {number} Error: {body}")


def test_what_is_taken_by_another_is_told_and_what_is_our_own_is_not(bucket: Bucket) -> None:
    objects = bucket.objects

    assert [objects.create("a/b", each) for each in (b"1", b"2", b"1")] == [None, b"1", None]
    assert objects.create("a/b", b"") == b"1"
    assert objects.read("a/b", 1) == b"1"
    assert bucket.waits == []


def test_a_record_of_which_the_answer_was_lost_is_its_own(bucket: Bucket) -> None:
    """It was written, nobody heard of it, and the next try finds it there."""
    obstore.put(bucket.store, "a", b"1")
    bucket.fails = [status(500)]

    assert bucket.objects.create("a", b"1") is None
    assert bucket.calls == ["put", "put", "put", "get"]


@pytest.mark.parametrize(
    "error", [exceptions.AlreadyExistsError("x"), exceptions.PreconditionError("x")]
)
def test_a_name_that_is_taken_by_nobody_yet_is_asked_for_again(
    bucket: Bucket, error: Exception
) -> None:
    bucket.fails = [error]

    assert bucket.objects.create("a", b"1") is None
    assert bucket.calls == ["put", "get", "put"]
    assert bucket.waits == [0.1]


def test_a_name_that_is_never_anybodys_is_given_up(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object, **__: object) -> None:
        raise exceptions.AlreadyExistsError("x")

    monkeypatch.setattr(obstore, "put", taken)

    with pytest.raises(StoreAwayError) as error:
        bucket.objects.create("a", b"1")

    assert str(error.value) == f"{URL}: the store does not answer (two of the same name at once)"


def test_an_object_of_somebody_else_that_is_far_longer_is_no_record(bucket: Bucket) -> None:
    obstore.put(bucket.store, "a", b"x" * ((1 << 20) + 2))

    with pytest.raises(TooLargeError):
        bucket.objects.create("a", b"1")
    obstore.put(bucket.store, "b", b"x" * ((1 << 20) + 1))
    assert bucket.objects.create("b", b"1") == b"x" * ((1 << 20) + 1)


def calls(bucket: Bucket, path: Path) -> dict[str, Callable[[], object]]:
    path.write_bytes(b"clip")
    objects = bucket.objects
    return {
        "create": lambda: objects.create("a", b"1"),
        "replace": lambda: objects.replace("a", b"1"),
        "read": lambda: objects.read("a", 10),
        "info": lambda: objects.info("a"),
        "list": lambda: objects.list("a"),
        "folders": lambda: objects.folders("a"),
        "send": lambda: objects.send("a", path),
        "fetch": lambda: objects.fetch("a", path, 10),
    }


KINDS = ("create", "replace", "read", "info", "list", "folders", "send", "fetch")


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_is_tried_for_a_minute(bucket: Bucket, tmp_path: Path, kind: str) -> None:
    bucket.fails = [status(503, "SlowDown") for _ in range(100)]

    with pytest.raises(StoreAwayError) as error:
        calls(bucket, tmp_path / "clip")[kind]()

    assert str(error.value) == f"{URL}: the store does not answer (HTTP 503 SlowDown)"
    assert bucket.waits[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(bucket.waits[6:]) == {5.0}
    assert 60.0 - 5.0 <= sum(bucket.waits) < 60.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(status(403, "AccessDenied"), "HTTP 403 AccessDenied", id="not allowed"),
        pytest.param(status(400), "HTTP 400", id="not understood"),
        pytest.param(status(499), "HTTP 499", id="the last of its kind"),
        pytest.param(status(501, "NotImplemented"), "HTTP 501 NotImplemented", id="not made"),
        pytest.param(exceptions.NotSupportedError("x"), "NotSupported", id="not supported"),
        pytest.param(exceptions.PermissionDeniedError("x"), "PermissionDenied", id="denied"),
        pytest.param(exceptions.UnauthenticatedError("x"), "Unauthenticated", id="nobody"),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied"), "Permission denied", id="a folder"
        ),
        pytest.param(
            NotADirectoryError(errno.ENOTDIR, "Not a directory"), "Not a directory", id="a file"
        ),
    ],
)
def test_what_would_be_the_same_the_next_time_is_said_at_once(
    bucket: Bucket, tmp_path: Path, kind: str, error: Exception, message: str
) -> None:
    bucket.fails = [error]

    with pytest.raises(StoreError) as raised:
        calls(bucket, tmp_path / "clip")[kind]()

    assert not isinstance(raised.value, StoreAwayError)
    assert str(raised.value) == f"{URL}/a: {message}"
    assert bucket.waits == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["NoSuchBucket", "ContainerNotFound"])
@pytest.mark.parametrize("of", [exceptions.GenericError, FileNotFoundError])
def test_a_bucket_that_is_not_there_is_said(
    bucket: Bucket, tmp_path: Path, kind: str, code: str, of: type[Exception]
) -> None:
    bucket.fails = [of(f"status code: 404 <Code>{code}</Code>")]

    with pytest.raises(StoreError) as raised:
        calls(bucket, tmp_path / "clip")[kind]()

    assert str(raised.value) == f"{URL}: there is no such bucket"
    assert bucket.waits == []


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(status(408), "HTTP 408", id="it took too long"),
        pytest.param(
            status(409, "OperationAborted"), "HTTP 409 OperationAborted", id="two at once"
        ),
        pytest.param(status(425), "HTTP 425", id="too early"),
        pytest.param(status(429), "HTTP 429", id="too many"),
        pytest.param(status(500), "HTTP 500", id="its fault"),
        pytest.param(status(502), "HTTP 502", id="behind it"),
        pytest.param(exceptions.GenericError("dns error"), "no connection", id="no line"),
        pytest.param(exceptions.JoinError("x"), "Join", id="a thread"),
        pytest.param(OSError(errno.EIO, "Input/output error"), "Input/output error", id="a disk"),
        pytest.param(OSError("odd"), "OSError", id="a disk that says nothing"),
    ],
)
def test_what_may_pass_is_tried_again(bucket: Bucket, error: Exception, message: str) -> None:
    bucket.fails = [error]
    assert bucket.objects.create("a", b"1") is None
    assert (bucket.calls, bucket.waits) == (["put", "put"], [0.1])

    bucket.fails = [error] * 100
    with pytest.raises(StoreAwayError, match=rf"does not answer \({message}\)$"):
        bucket.objects.create("a", b"1")


def test_what_is_not_there_is_none(bucket: Bucket, tmp_path: Path) -> None:
    objects = bucket.objects

    assert (objects.read("a", 1), objects.info("a")) == (None, None)
    assert objects.fetch("a", tmp_path / "a", 1) is False
    assert (list(objects.list("a")), list(objects.folders("a"))) == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_read_than_there_may_be(bucket: Bucket, tmp_path: Path) -> None:
    objects, path = bucket.objects, tmp_path / "a"
    objects.replace("a", b"12345")

    assert objects.read("a", 5) == b"12345"
    assert (objects.fetch("a", path, 5), path.read_bytes()) == (True, b"12345")
    for read in (lambda: objects.read("a", 4), lambda: objects.fetch("a", path, 4)):
        with pytest.raises(TooLargeError) as error:
            read()
        assert str(error.value) == f"{URL}/a: it has more than 4 bytes"


@pytest.mark.parametrize(
    ("whole", "asked"),
    [
        pytest.param(5, ["put"], id="whole, and only if nothing is there"),
        pytest.param(4, ["head", "put"], id="streamed, after a look"),
    ],
)
def test_how_a_clip_is_sent(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int, asked: list[str]
) -> None:
    monkeypatch.setattr(cloud, "WHOLE", whole)
    path = tmp_path / "clip"
    path.write_bytes(b"12345")

    bucket.objects.send("a", path)
    assert bucket.calls == asked
    path.write_bytes(b"other")
    bucket.objects.send("a", path)

    assert bucket.objects.read("a", 5) == b"12345"
