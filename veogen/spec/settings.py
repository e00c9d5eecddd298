"""What `--set KEY=VALUE` says, as a document with places of its own."""

from collections.abc import Sequence

from veogen.document.placed import placed
from veogen.document.problems import MistakesError, Problems, nearest
from veogen.document.reader import read
from veogen.document.values import Map, Place, Value
from veogen.spec.merge import merge
from veogen.spec.params import parameters

_ROOMS = ("params", "vars")


def read_settings(settings: Sequence[str], problems: Problems) -> Map:
    """All settings in one map of `params` and `vars`; a later one wins."""
    merged = Map(Place("--set", 1, 1))
    for setting in settings:
        merged = merge(merged, _read_setting(setting, problems))
    return merged


def _read_setting(setting: str, problems: Problems) -> Map:
    key, equals, text = setting.partition("=")
    origin = f"--set {setting}" if setting.isprintable() else f"--set {setting!r}"
    place = Place(origin, 1, 1)
    room, *names = key.split(".")
    if not equals:
        problems.error(place, "setting", f"{setting!r} is not KEY=VALUE")
    elif room not in _ROOMS or not all(names) or not names:
        message = f"{key!r} cannot be set; only params.NAME and vars.NAME can"
        problems.error(place, "setting", message, _hint(room, names))
    else:
        value = _read_value(text, Place(origin, 1, len(key) + 2), problems)
        return _nested([room, *names], value, place, Place(origin, 1, len(key) + 2))
    return Map(place)


def _hint(room: str, names: Sequence[str]) -> str | None:
    meant = nearest(room, _ROOMS)
    if not names and room in parameters():
        return f"did you mean 'params.{room}'?"
    if meant is None or not all(names) or not names:
        return None
    return f"did you mean '{'.'.join([meant, *names])}'?"


def _read_value(text: str, place: Place, problems: Problems) -> Value:
    try:
        return placed(read(text.encode(errors="surrogatepass"), place.path), place)
    except MistakesError as error:
        for problem in error.problems:
            problems.error(place, problem.code, problem.message, problem.hint)
        return None


def _nested(names: Sequence[str], value: Value, key_place: Place, value_place: Place) -> Map:
    outer = Map(key_place)
    inner = _nested(names[1:], value, key_place, value_place) if names[1:] else value
    outer.put(names[0], inner, key_place, value_place)
    return outer
