"""A store that is opened: what it holds, what of it is refused, and whose clips it has."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.errors import UsageError
from veogen.store.history import History
from veogen.store.layout import AttemptId
from veogen.store.location import StoreLocation
from veogen.store.member import Identity, Member
from veogen.store.objects import StoreError
from veogen.store.opening import GatewayKind, RunSummary, Store, StoreSummary, open_store
from veogen.store.signs import Patience

HASH = "a" * 64
URL = "s3://clips/team"
VERSION = b'{"format":"veogen.store/1"}'


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects(StoreTimeOfTests())


@pytest.fixture
def store(objects: MemoryObjects) -> Store:
    return Store(
        objects, StoreLocation("s3", "clips", "team"), StoreTimeOfTests(), Patience(5.0, 1.0, 1.0)
    )


def join(
    store: Store, name: str = "ada.1", run: str = "trip", kind: GatewayKind = "evolink"
) -> Member:
    return store.join(run, kind, Identity(name, name.partition(".")[0]))


def claim(member: Member) -> None:
    of = AttemptId(HASH, 1)
    member.claim(of, key="key", body="{}", address="boat", credits_=Decimal(1))


def written(objects: MemoryObjects) -> dict[str, bytes]:
    return {name: content for name, (content, _) in objects.objects.items()}


def test_a_store_says_where_it_is_and_how_patient(store: Store, objects: MemoryObjects) -> None:
    assert (store.url, store.patience) == (URL, Patience(5.0, 1.0, 1.0))
    assert store.objects is objects
    assert store.time.monotonic() == 0.0
    assert objects.calls == []


def test_who_joins_first_makes_the_store_and_the_run(store: Store, objects: MemoryObjects) -> None:
    join(store)

    creates = [name for kind, name in objects.calls if kind in ("create", "replace")]
    assert creates == [
        "runs/trip/log/ada.1/00000000",
        "runs/trip/log/ada.1/00000000",  # asked for again: a store that writes over it is refused
        "runs/trip/signs/ada.1",
        "runs/trip/run.json",
        "veogen.json",
    ]
    assert written(objects)["runs/trip/run.json"] == b'{"name":"trip","gateway":"evolink"}'
    assert written(objects)["veogen.json"] == VERSION
    del objects.calls[:]
    join(store, "bob.1")
    assert "veogen.json" not in [name for kind, name in objects.calls if kind == "create"]
    assert "runs/trip/run.json" not in [name for kind, name in objects.calls if kind == "create"]


@pytest.mark.parametrize(
    ("version", "there"),
    [
        pytest.param(None, False, id="no store yet"),
        pytest.param(VERSION, True, id="of this layout"),
        pytest.param(b'{"format":"veogen.store/1","more":1}', True, id="and more"),
    ],
)
def test_whether_there_is_a_store(
    store: Store, objects: MemoryObjects, version: bytes | None, *, there: bool
) -> None:
    if version is not None:
        objects.replace("veogen.json", version)

    assert store.check_version() is there


def refusals(store: Store, kind: GatewayKind = "evolink") -> list[str]:
    """What is said where the run is read, and where it is joined; nothing is written."""
    said = []
    for refused in (lambda: store.read("trip", kind), lambda: join(store, "bob.1", kind=kind)):
        with pytest.raises(StoreError) as error:
            refused()
        said.append(str(error.value))
    return said


def test_a_store_of_another_layout_is_refused(store: Store, objects: MemoryObjects) -> None:
    objects.replace("veogen.json", b'{"format":"veogen.store/2"}')

    why = (
        f"{URL}: another veogen made this store ('veogen.store/2', and this one reads "
        "'veogen.store/1'); nothing was sent"
    )
    assert refusals(store) == [why, why]
    assert list(written(objects)) == ["veogen.json"]


def test_a_run_of_another_gateway_is_refused(store: Store, objects: MemoryObjects) -> None:
    join(store)
    before = written(objects)

    why = (
        f"{URL}: runs/trip/run.json is of a run 'trip' with the gateway 'evolink', not of 'trip' "
        "with 'simulated'; nothing was sent"
    )
    assert refusals(store, "simulated") == [why, why]
    assert written(objects) == before


def test_a_run_under_the_name_of_another_is_refused(store: Store, objects: MemoryObjects) -> None:
    objects.replace("veogen.json", VERSION)
    objects.replace("runs/trip/run.json", b'{"name":"other","gateway":"evolink"}')

    assert all("is of a run 'other'" in said for said in refusals(store))


def test_a_run_that_lacks_what_it_held_is_refused(store: Store, objects: MemoryObjects) -> None:
    claim(join(store))
    del objects.objects["runs/trip/run.json"]
    before = written(objects)

    why = (
        f"{URL}: runs/trip/run.json is missing, and records of that run are there: this store "
        "lacks what it held (records never expire); nothing was sent"
    )
    assert refusals(store) == [why, why]
    assert written(objects) == before


def test_a_process_that_was_killed_before_it_said_what_the_run_is_keeps_nobody_out(
    store: Store, objects: MemoryObjects
) -> None:
    join(store)
    del objects.objects["runs/trip/run.json"]

    assert store.read("trip", "evolink") is None
    join(store, "bob.1")

    assert written(objects)["runs/trip/run.json"] == b'{"name":"trip","gateway":"evolink"}'


def test_who_is_not_the_first_to_say_what_a_run_is_has_to_mean_the_same(
    store: Store, objects: MemoryObjects
) -> None:
    def another_is_quicker(_number: int, kind: str, name: str) -> None:
        if (kind, name) == ("replace", "runs/trip/signs/ada.1"):
            objects.faults = lambda *_: None
            other = b'{"name":"trip","gateway":"simulated"}'
            objects.objects["runs/trip/run.json"] = (other, 0.0)

    objects.faults = another_is_quicker

    with pytest.raises(StoreError, match="with the gateway 'simulated', not of 'trip'"):
        join(store)


def test_who_is_not_the_first_to_make_a_store_has_to_mean_the_same_layout(
    store: Store, objects: MemoryObjects
) -> None:
    def another_is_quicker(_number: int, kind: str, name: str) -> None:
        if (kind, name) == ("replace", "runs/trip/signs/ada.1"):
            objects.faults = lambda *_: None
            objects.objects["veogen.json"] = (b'{"format":"veogen.store/2"}', 0.0)

    objects.faults = another_is_quicker

    with pytest.raises(StoreError, match="another veogen made this store"):
        join(store)


def test_who_may_refuse_what_was_read_has_written_nothing(
    store: Store, objects: MemoryObjects
) -> None:
    claim(join(store))
    before = written(objects)

    def refuse(history: History) -> None:
        assert list(history.attempts) == [HASH]
        raise StoreError("of another project")

    with pytest.raises(StoreError, match="of another project"):
        store.join("trip", "evolink", Identity("bob.1", "bob"), refuse)
    assert written(objects) == before


CLIP = b"a clip"
NAME = sha256(CLIP).hexdigest()


def test_a_clip_goes_in_and_comes_back(
    store: Store, objects: MemoryObjects, tmp_path: Path
) -> None:
    made, home = tmp_path / "made.mp4", tmp_path / "home.mp4"
    made.write_bytes(CLIP)
    assert not store.clips.has(NAME, len(CLIP))

    store.clips.put(made, NAME)

    assert written(objects) == {f"clips/{NAME}.mp4": CLIP}
    assert [store.clips.has(NAME, size) for size in (len(CLIP), len(CLIP) + 1)] == [True, False]
    assert store.clips.fetch(NAME, len(CLIP), home) is True
    assert home.read_bytes() == CLIP
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home.mp4", "made.mp4"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="not there"),
        pytest.param(b"a clap", id="other bytes"),
        pytest.param(b"a clip and more", id="longer"),
        pytest.param(b"a cl", id="cut"),
    ],
)
def test_what_is_not_the_clip_does_not_come_home(
    store: Store, objects: MemoryObjects, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        objects.replace(f"clips/{NAME}.mp4", content)

    assert store.clips.fetch(NAME, len(CLIP), tmp_path / "home.mp4") is False

    assert list(tmp_path.iterdir()) == []


def test_no_more_is_fetched_than_the_clip_has(tmp_path: Path) -> None:
    limits = []

    class Asked(MemoryObjects):
        def fetch(self, name: str, path: Path, limit: int) -> bool:
            limits.append(limit)
            return super().fetch(name, path, limit)

    location, time = StoreLocation("s3", "clips", "team"), StoreTimeOfTests()
    store = Store(Asked(time), location, time, Patience())

    for size in (len(CLIP), 1 << 40):
        store.clips.fetch(NAME, size, tmp_path / "home.mp4")

    assert limits == [len(CLIP), 4 << 30]


def test_what_a_store_holds(store: Store, objects: MemoryObjects) -> None:
    assert store.summary() == StoreSummary([], 0, 0)
    for name in ("ada.1", "ada.2", "bob.1", "eve"):
        join(store, name)
    claim(join(store, "ada.3"))
    join(store, "ada.4", run="trip.simulated", kind="simulated")
    objects.replace("runs/Odd/run.json", b"")
    objects.replace("runs/killed/log/ada.5/00000000", b"12345")
    objects.replace(f"clips/{NAME}.mp4", CLIP)
    sizes = {
        run: sum(len(c) for n, c in written(objects).items() if n.startswith(f"runs/{run}/"))
        for run in ("killed", "trip", "trip.simulated")
    }

    assert store.summary() == StoreSummary(
        [
            RunSummary("killed", "unknown", 0, ["ada"], sizes["killed"]),
            RunSummary("trip", "evolink", 1, ["ada", "bob", "eve"], sizes["trip"]),
            RunSummary("trip.simulated", "simulated", 0, ["ada"], sizes["trip.simulated"]),
        ],
        clips=1,
        bytes=len(CLIP),
    )


def test_a_folder_is_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    url, time = f"file://{tmp_path}/store", StoreTimeOfTests()
    environ = {"VEOGEN_STORE_SILENCE": "5"}

    with pytest.raises(StoreError, match="there is no such folder"):
        open_store(url, environ, time).check_version()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="it is no folder"):
        open_store(f"file://{tmp_path}/file", environ, time).check_version()
    deep = open_store(f"file://{tmp_path}/a/b", environ, time, make=True)
    assert deep.check_version() is False
    store = open_store(url, environ, time, patience=1.0, make=True)

    assert (store.url, store.patience) == (url, Patience(5.0, 1.0, 1.0))
    assert store.check_version() is False
    assert open_store(url, environ, time).check_version() is False


def test_a_url_that_names_no_store_is_refused() -> None:
    with pytest.raises(UsageError, match="a store is s3://"):
        open_store("https://a.example", {}, StoreTimeOfTests())
