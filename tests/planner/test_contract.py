"""The example of the contract, values compared whole."""

from decimal import Decimal

from support.galleries import picture
from support.project import Project

from veogen.models.parameters import Json
from veogen.planner.plan import total_credits

EXAMPLE = """\
name: autumn-launch
description: Autumn campaign, cut for social
extends: _base.yaml
vars: {brand: Lumen}
params:
  model: veo-3.1-fast-generate-preview
  aspect_ratio: 16:9
  duration: 8
matrix:
  look:
    - {id: noir, light: hard key light}
    - {id: pastel, light: soft window light}
budget: {max_credits: 2000, max_requests: 200}
profiles:
  draft: {params: {quality: 720p, generate_audio: false}}
shots:
  - name: opening
    description: The first thing people see
    prompt: |
      {{ brand }} opens on {{ city }} at dusk, {{ look.light }}.
    negative_prompt: text, watermark
    vars: {mood: quiet}
    matrix:
      city: [Tokyo, Paris]
      seed: [7, 8]
      exclude: [{city: Paris, look: noir}]
      include: [{city: Oslo, look: noir, seed: 9}]
    params:
      image_urls: ["../images/{{ city | lower }}.png"]
    takes: 1
    overrides:
      - when: {city: Tokyo, look: noir, seed: 7}
        prompt: "{{ brand }} opens on {{ city }} in the rain."
    output: "{{ shot }}/{{ city }}-{{ look.id }}"
"""

RAIN = "Lumen opens on Tokyo in the rain."
HARD = "at dusk, hard key light."
SOFT = "at dusk, soft window light."


def body(city: str, seed: int, prompt: str) -> dict[str, Json]:
    return {
        "aspect_ratio": "16:9",
        "duration": 8,
        "image_urls": [f"file:images/{city.lower()}.png"],
        "model": "veo-3.1-fast-generate-preview",
        "negative_prompt": "text, watermark",
        "prompt": prompt,
        "seed": seed,
    }


EXPECTED = [
    ("Tokyo", "noir", 7, RAIN),
    ("Tokyo", "noir", 8, f"Lumen opens on Tokyo {HARD}"),
    ("Tokyo", "pastel", 7, f"Lumen opens on Tokyo {SOFT}"),
    ("Tokyo", "pastel", 8, f"Lumen opens on Tokyo {SOFT}"),
    ("Paris", "pastel", 7, f"Lumen opens on Paris {SOFT}"),
    ("Paris", "pastel", 8, f"Lumen opens on Paris {SOFT}"),
    ("Oslo", "noir", 9, f"Lumen opens on Oslo {HARD}"),
]


def write_images(project: Project) -> None:
    for city, colour in {"tokyo": "red", "paris": "green", "oslo": "blue"}.items():
        project.write(f"images/{city}.png", picture("png", colour=colour))


def test_the_example_is_seven_requests_of_532_credits(project: Project) -> None:
    project.write("specs/_base.yaml", "veogen: 1")
    write_images(project)

    plan = project.plan(EXAMPLE, name="specs/autumn.yaml")

    assert [(r.address, r.output, dict(r.body)) for r in plan.requests] == [
        (
            f"opening[city={city},look={look},seed={seed}]",
            f"opening/{city}-{look}",
            body(city, seed, prompt),
        )
        for city, look, seed, prompt in EXPECTED
    ]
    assert (plan.name, plan.spec) == ("autumn-launch", "specs/autumn.yaml")
    assert [warning.code for warning in plan.warnings] == ["unused-var"]  # mood
    assert total_credits(plan.requests) == Decimal("532.224")
    assert sum(request.seconds or 0 for request in plan.requests) == 56


def test_with_its_profile_the_example_is_smaller_and_silent(project: Project) -> None:
    project.write("specs/_base.yaml", "veogen: 1")
    write_images(project)

    plan = project.plan(EXAMPLE, name="specs/autumn.yaml", profile="draft")

    assert {r.body["generate_audio"] for r in plan.requests} == {False}
    assert total_credits(plan.requests) == Decimal("354.816")
