"""What a request's clips should be, as far as its model says: length, size, ratio, sound."""

from collections.abc import Mapping
from dataclasses import dataclass

from veogen.models.model import Model
from veogen.models.parameters import Json

_USUAL = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
"""Width and height behind a quality where the model states none and the ratio is 16:9."""

_WIDE = ("16:9", "9:16", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedClip:
    """What is None or empty is not known. `sizes` are those it may have, the longer side first."""

    seconds: tuple[float, float] | None = None
    sizes: frozenset[tuple[int, int]] = frozenset()
    ratio: tuple[int, int] | None = None
    audio: bool | None = None


def expected_clip(model: Model | None, body: Mapping[str, Json]) -> ExpectedClip:
    """What the gateway should make of a request; of a model that is not known as it is written."""
    effective = model.effective(body) if model else body
    ratio = str(effective.get("aspect_ratio", ""))
    return ExpectedClip(
        seconds=_seconds(model, effective),
        sizes=_sizes(model, effective, ratio),
        ratio=_ratio(ratio),
        audio=_audio(model, effective),
    )


def _seconds(model: Model | None, effective: Mapping[str, Json]) -> tuple[float, float] | None:
    """The same twice, or the bounds where a word leaves the length to the gateway."""
    written = effective.get("duration")
    parameter = model.parameters.get("duration") if model else None
    if parameter is not None and written in parameter.words:
        low, high = parameter.minimum, parameter.maximum
        return None if low is None or high is None else (float(low), float(high))
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    return float(written), float(written)


def _sizes(
    model: Model | None, effective: Mapping[str, Json], ratio: str
) -> frozenset[tuple[int, int]]:
    quality = str(effective.get("quality"))
    if model is not None and model.pixels:
        stated = model.pixels.get(quality, {})
        sizes = [stated[ratio]] if ratio in stated else list(stated.values())
        return frozenset((max(size), min(size)) for size in sizes)
    is_wide = ratio in _WIDE or (
        not ratio and (model is None or "aspect_ratio" in model.parameters)
    )
    return frozenset({_USUAL[quality]} if quality in _USUAL and is_wide else ())


def _ratio(text: str) -> tuple[int, int] | None:
    """Width and height of a ratio like `16:9`; None for a word, which leaves it open."""
    wide, colon, high = text.partition(":")
    if colon and wide.isdecimal() and high.isdecimal() and int(wide) and int(high):
        return int(wide), int(high)
    return None


def _audio(model: Model | None, effective: Mapping[str, Json]) -> bool | None:
    if model is not None and model.audio is not None:
        return model.has_audio(effective)
    written = effective.get("generate_audio")
    return written if isinstance(written, bool) else None
