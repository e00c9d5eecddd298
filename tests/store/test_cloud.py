"""The port, held to its promises on a folder and two servers of S3."""

import os
from pathlib import Path

import pytest

from veogen.executor.options import SystemClock
from veogen.store import cloud
from veogen.store.cloud import CloudObjects, connect
from veogen.store.location import StoreLocation
from veogen.store.objects import Objects, StoreError, TooLargeError
from veogen.store.promises import Promise, check

ALL = pytest.mark.parametrize("store_url", ["folder", "moto", "ministack"], indirect=True)


def objects_of(url: str) -> Objects:
    return connect(StoreLocation.of(url), os.environ, SystemClock(), patience=5.0, make=True)


@ALL
def test_an_object_is_created_once_and_read_back(store_url: str) -> None:
    objects = objects_of(store_url)

    answers = [objects.create("a/b", content) for content in (b"1", b"2", b"1")]

    assert answers == [None, b"1", None]
    assert (objects.read("a/b", 10), objects.read("a/c", 10)) == (b"1", None)


@ALL
def test_a_sign_is_written_again(store_url: str) -> None:
    objects = objects_of(store_url)

    objects.replace("signs/a", b"1")
    objects.replace("signs/a", b"22")

    info = objects.info("signs/a")
    assert info is not None
    assert (info.name, info.size) == ("signs/a", 2)
    assert objects.info("signs/b") is None


@ALL
def test_objects_are_listed_by_name_from_a_name_on(store_url: str) -> None:
    objects = objects_of(store_url)
    for name in ("a/2", "a/1", "a/b/3", "ab/4", "c"):
        objects.create(name, b"")

    assert [info.name for info in objects.list("a")] == ["a/1", "a/2", "a/b/3"]
    assert [info.name for info in objects.list("a", "1")] == ["a/2", "a/b/3"]
    assert list(objects.list("d")) == []
    assert list(objects.folders("a")) == ["b"]


@ALL
def test_no_more_is_read_than_there_may_be(store_url: str, tmp_path: Path) -> None:
    objects = objects_of(store_url)
    objects.create("a", b"x" * 100)

    for read in (lambda: objects.read("a", 99), lambda: objects.fetch("a", tmp_path / "b", 99)):
        with pytest.raises(TooLargeError):
            read()


@ALL
@pytest.mark.parametrize("size", [0, 1000, 12_000_000], ids=["empty", "small", "in pieces"])
def test_a_file_goes_there_and_back(store_url: str, tmp_path: Path, size: int) -> None:
    objects, here, back = objects_of(store_url), tmp_path / "here", tmp_path / "back"
    here.write_bytes(os.urandom(size))

    objects.send("clips/a", here)
    here_first = here.read_bytes()
    here.write_bytes(b"another")
    objects.send("clips/a", here)

    assert (objects.fetch("clips/a", back, size), back.read_bytes()) == (True, here_first)
    assert objects.fetch("clips/b", back, size) is False


@ALL
@pytest.mark.parametrize("size", [1000, 12_000_000], ids=["small", "large"])
def test_a_clip_that_is_there_is_not_written_again(
    store_url: str, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by who looked before it was there: nothing is asked first but of a long one."""
    objects, first, second = objects_of(store_url), tmp_path / "first", tmp_path / "second"
    first.write_bytes(os.urandom(size))
    second.write_bytes(os.urandom(size))
    monkeypatch.setattr(CloudObjects, "info", lambda *_: None)

    objects.send("clips/a", first)
    objects.send("clips/a", second)

    assert objects.read("clips/a", size) == first.read_bytes()


@ALL
def test_a_long_clip_is_streamed_unless_it_is_there(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, first, second = objects_of(store_url), tmp_path / "first", tmp_path / "second"
    first.write_bytes(os.urandom(12_000_000))
    second.write_bytes(b"another")
    monkeypatch.setattr(cloud, "WHOLE", 0)

    objects.send("clips/a", first)
    objects.send("clips/a", second)

    assert objects.read("clips/a", 12_000_000) == first.read_bytes()


@pytest.mark.parametrize("store_url", ["folder"], indirect=True)
def test_in_a_folder_a_long_clip_that_came_meanwhile_stays(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, first, second = objects_of(store_url), tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"first")
    second.write_bytes(b"another")
    monkeypatch.setattr(cloud, "WHOLE", 0)
    monkeypatch.setattr(CloudObjects, "info", lambda *_: None)

    objects.send("clips/a", first)
    objects.send("clips/a", second)

    assert [(info.name, info.size) for info in objects.list("clips")] == [("clips/a", 5)]


@ALL
def test_all_that_is_promised_is_kept(store_url: str) -> None:
    assert check(objects_of(store_url)) == [
        Promise("creates only if absent", None),
        Promise("of 16 at once one creates", None),
        Promise("lists and reads what was created", None),
    ]


@pytest.mark.parametrize("store_url", ["moto"], indirect=True)
def test_a_bucket_that_is_not_there_is_said(store_url: str) -> None:
    objects = objects_of(store_url.replace("clips", "nothing-here"))

    with pytest.raises(StoreError, match="there is no such bucket"):
        objects.create("a", b"")
