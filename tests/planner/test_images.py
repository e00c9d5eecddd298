"""Images of a spec: read once, inside the project, and worth what is asked of them."""

import pytest
from support.galleries import picture
from support.project import Project

from veogen.document.problems import MistakesError

SPEC = """\
params: {{model: veo-3.1-fast-generate-preview, {params}}}
shots:
  - name: opening
    prompt: a boat
    params: {{image_urls: ["{url}"]}}
"""


def warnings(project: Project, params: str = "duration: 4", url: str = "../a.png") -> list[str]:
    plan = project.plan(SPEC.format(url=url, params=params), name="specs/a.yaml")
    return [f"{problem.code}: {problem.message}" for problem in plan.warnings]


def mistake(project: Project, url: str) -> str:
    with pytest.raises(MistakesError) as caught:
        warnings(project, url=url)
    [problem] = caught.value.problems
    assert (problem.place.line, problem.code) == (6, "bad-image")
    return problem.message


def test_a_good_image_needs_no_word(project: Project) -> None:
    project.write("a.png", picture())

    assert warnings(project, params='aspect_ratio: "16:9"') == []


def test_an_image_is_advised_to_have_the_size_of_a_clip(project: Project) -> None:
    project.write("a.png", picture(size=(640, 360)))

    assert warnings(project) == [
        "small-image: 'a.png' has 640x360 pixels; 1280x720 or 720x1280 are advised (opening)"
    ]


@pytest.mark.parametrize(
    ("params", "size", "far"),
    [
        ('aspect_ratio: "9:16"', (1280, 720), True),
        ('aspect_ratio: "9:16"', (720, 1280), False),
        ('aspect_ratio: "16:9"', (1344, 768), False),
        ('aspect_ratio: "16:9"', (1500, 1000), True),
        ("aspect_ratio: auto", (1500, 1000), False),
        ("duration: 4", (1500, 1000), False),
        ("generation_type: REFERENCE", (1500, 1000), True),
    ],
)
def test_a_ratio_far_from_the_clips_is_a_warning(
    params: str,
    size: tuple[int, int],
    far: bool,
    project: Project,
) -> None:
    project.write("a.png", picture(size=size))

    assert any(word.startswith("image-ratio: ") for word in warnings(project, params)) is far


def test_an_image_too_large_is_a_mistake_and_not_read_whole(project: Project) -> None:
    project.write("a.png", picture() + bytes(11 << 20))

    assert mistake(project, "../a.png") == "'../a.png' has more than 10 MiB, the limit (opening)"


@pytest.mark.parametrize(("limit", "told"), [(1 << 20, "1 MiB"), (1000, "1,000 bytes")])
def test_each_model_has_its_own_limit(limit: int, told: str, project: Project) -> None:
    project.write("a.png", picture(colour="red") + bytes(2 << 20))
    small = (
        "id: small\nlike: veo3.1-fast-beta\nparameters: {image_urls: {type: uris, max_bytes: %d}}"
    )
    project.write("models/small.yaml", (small % limit).encode())
    shots = "".join(
        f"  - {{name: s{n}, prompt: a boat {n}, params: {{model: {model}, image_urls: [a.png]}}}}\n"
        for n, model in enumerate(("veo3.1-fast-beta", "small", "veo3.1-fast-beta"))
    )

    assert project.mistakes(f"shots:\n{shots}") == [
        f"a.yaml:4:69: error[bad-image]: 'a.png' has more than {told}, the limit (s1)"
    ]


def test_an_svg_under_the_name_of_another_kind_is_a_mistake(project: Project) -> None:
    project.write("a.png", b"<svg/>")

    assert mistake(project, "../a.png") == (
        "'../a.png' is not a JPEG, PNG or WebP file by its bytes (opening)"
    )


def test_an_image_whose_content_was_not_fetched_is_a_mistake_with_its_remedy(
    project: Project,
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 670\n"
    project.write("a.png", pointer.encode())

    assert mistake(project, "../a.png") == (
        "'../a.png' is kept in Git LFS and is not here; get it with: git lfs pull (opening)"
    )


def test_a_link_out_of_the_project_is_a_mistake(project: Project) -> None:
    project.write("specs/x", b"")
    (project.root / "a.png").symlink_to("/etc/passwd")

    assert mistake(project, "../a.png") == "'../a.png' leaves the project (opening)"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("none.png", "'none.png' cannot be read: No such file or directory (opening)"),
        ("../../a.png", "'../../a.png' leaves the project (opening)"),
        ("/etc/passwd", "'/etc/passwd' leaves the project (opening)"),
        ("..", "'..' cannot be read: this is not a file (opening)"),
        (
            "http://a.example/b.png",
            "'http://a.example/b.png' is neither a file of the project nor an https URL (opening)",
        ),
        (
            "data:image/png;base64",
            "'data:image/png;base64' is neither a file of the project nor an https URL (opening)",
        ),
        ("https://", "'https://' is not an https URL (opening)"),
        ("https://[a/b.png", "'https://[a/b.png' is not an https URL (opening)"),
        (
            "https://a.example/New York.png",
            "'https://a.example/New York.png' is not an https URL (opening)",
        ),
    ],
)
def test_an_image_is_a_file_of_the_project_or_an_https_url(
    url: str, message: str, project: Project
) -> None:
    assert mistake(project, url) == message


def test_an_https_url_goes_through_as_it_is(project: Project) -> None:
    spec = SPEC.format(url="https://a.example/b.png?c=1", params="duration: 4")
    [request] = project.plan(spec, name="specs/a.yaml").requests

    assert request.body["image_urls"] == ["https://a.example/b.png?c=1"]
    assert request.images == ()
