"""Whose sign is how old, by which clock."""

from collections.abc import Mapping
from math import inf

import pytest
from support.stores import MemoryObjects, StoreTimeOfTests

from veogen.errors import UsageError
from veogen.store.layout import RunNames
from veogen.store.signs import Look, Patience, SignOfLife, machine_name, new_process


@pytest.mark.parametrize(
    ("environ", "patience"),
    [
        pytest.param({}, Patience(300.0, 60.0, 60.0), id="unset"),
        pytest.param({"VEOGEN_STORE_SILENCE": ""}, Patience(300.0, 60.0, 60.0), id="empty"),
        pytest.param({"VEOGEN_STORE_SILENCE": "5"}, Patience(5.0, 1.0, 1.0), id="five seconds"),
        pytest.param({"VEOGEN_STORE_SILENCE": "0.5"}, Patience(0.5, 0.1, 0.1), id="half a second"),
        pytest.param({"VEOGEN_STORE_SILENCE": "300"}, Patience(300.0, 60.0, 60.0), id="the most"),
    ],
)
def test_how_long_a_machine_may_be_silent(environ: Mapping[str, str], patience: Patience) -> None:
    assert Patience.of(environ) == patience


@pytest.mark.parametrize("text", ["0", "-1", "300.1", "nan", "inf", "a while"])
def test_no_other_silence_is_taken(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Patience.of({"VEOGEN_STORE_SILENCE": text})

    assert str(error.value) == "VEOGEN_STORE_SILENCE is seconds, at most 300"


@pytest.mark.parametrize(
    ("passed", "slept", "set_by", "age"),
    [
        pytest.param(10.0, 0.0, 0.0, 10.0, id="awake"),
        pytest.param(10.0, 30.0, 0.0, 40.0, id="asleep"),
        pytest.param(10.0, 0.0, 20.0, 30.0, id="the clock was set forward"),
        pytest.param(10.0, 0.0, -20.0, 10.0, id="the clock was set back"),
    ],
)
def test_a_look_is_as_old_as_the_clock_that_says_most(
    passed: float, slept: float, set_by: float, age: float
) -> None:
    time = StoreTimeOfTests()
    look = Look.begin(time)

    time.sleep(passed)
    time.slept += slept
    time.jump += set_by

    assert look.age(time) == age


@pytest.mark.parametrize("ahead", [600.0, 0.0, -600.0])
def test_the_time_of_a_store_is_what_it_says_of_a_sign(ahead: float) -> None:
    time = StoreTimeOfTests()
    objects = MemoryObjects(time, ahead=ahead)
    sign = SignOfLife(objects, RunNames("run"), "ada.1", "ada", time)
    began = time.now()
    assert (sign.store_now(), sign.age) == (began, inf)

    sign.write()
    time.sleep(10.0)
    time.jump += 5000.0  # somebody sets this machine's clock

    assert sign.store_now() == began + 10.0 + ahead
    assert sign.age == 5010.0


def test_where_a_sign_cannot_be_seen_the_time_is_our_own() -> None:
    class Hides(MemoryObjects):
        def info(self, name: str) -> None:
            del name

    time = StoreTimeOfTests()
    sign = SignOfLife(Hides(time, ahead=600.0), RunNames("run"), "ada.1", "ada", time)

    sign.write()

    assert sign.store_now() == time.now()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("ada", "ada", id="a name"),
        pytest.param("Adas-MacBook_2.local", "adas-macbook_2-local", id="what may stand in names"),
        pytest.param("Адас-x", "x", id="letters that none may have"),
        pytest.param("--", "machine", id="none that may"),
        pytest.param("", "machine", id="no name"),
        pytest.param("a" * 41, "a" * 40, id="a long one"),
    ],
)
def test_what_a_machine_is_called_in_a_store(host: str, name: str) -> None:
    assert machine_name(host) == name


def test_no_two_processes_have_one_name() -> None:
    names = {new_process("ada") for _ in range(100)}

    assert len(names) == 100
    assert {name.partition(".")[0] for name in names} == {"ada"}
