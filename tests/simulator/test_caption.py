import pytest

from veogen.simulator.video import caption, fitted, legible


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        pytest.param("a boat, 16:9", "a boat, 16:9", id="as it is"),
        pytest.param("café — “Łódź”", 'cafe - "Lodz"', id="without accents"),
        pytest.param("Привет", "Privet", id="Cyrillic by sound"),
        pytest.param("東京", "DongJing", id="Chinese by sound"),
        pytest.param("😀", ":grinning:", id="an emoji by name"),
    ],
)
def test_every_script_is_legible(written: str, drawn: str) -> None:
    assert legible(written) == drawn


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (3840, 2160), (320, 180)])
@pytest.mark.parametrize("prompt", ["a boat", "a very long prompt " * 30, "x" * 2000, ""])
def test_a_caption_is_as_wide_as_the_frame_and_leaves_half_of_it(
    size: tuple[int, int], prompt: str
) -> None:
    panel = caption(size, [prompt, "seed 7, 8 s", "SIMULATED task-unified-1757169743-7cvnl5zw"])

    assert panel.width == size[0]
    assert 0 < panel.height <= size[1] // 2
    assert panel.height % 2 == 0


def test_a_short_caption_is_written_large() -> None:
    assert fitted((1280, 720), ["a boat", "seed 7"]) == (["a boat", "seed 7"], 32)


def test_a_prompt_that_is_too_long_gives_way_to_the_task() -> None:
    lines = ["word " * 600, "seed 7, 8 s", "SIMULATED task-unified-1757169743-7cvnl5zw"]

    rows, points = fitted((640, 360), lines)

    assert points == 9
    assert rows[-3:] == ["...", *lines[1:]]
    assert set(" ".join(rows[:-3]).split()) == {"word"}
