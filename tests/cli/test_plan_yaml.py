"""`veogen plan --format yaml`: the plan that `json` prints, for people and for every YAML reader."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from veogen.cli import veogen
from veogen.document.reader import read

SPEC = """\
veogen: 1
params: {aspect_ratio: 16:9, seed: 7, duration: 4}
vars: {mood: 'no'}
shots:
  - name: opening
    prompt: |
      Tokyo at dusk, {{ mood }}: {{ city }}.
      Rain falls.
    matrix: {city: [010, "010", Zürich]}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(SPEC)
    return tmp_path


def plan(*arguments: str) -> str:
    result = CliRunner().invoke(veogen, ["plan", *arguments], standalone_mode=False)
    assert result.exception is None
    return result.stdout


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("specs", [["a.yaml"], ["a.yaml", "b.yaml"]], ids=["one", "several"])
def test_it_is_the_plan_that_json_prints_for_readers_of_both_yaml_versions(
    specs: list[str],
) -> None:
    expected = json.loads(plan(*specs, "--format", "json"))

    text = plan(*specs, "--format", "yaml")

    assert yaml.safe_load(text) == expected
    assert plain(read(text.encode(), "plan.yaml")) == expected


def test_it_can_be_read_by_people() -> None:
    text = plan("a.yaml", "--format", "yaml")

    assert text.startswith("format: veogen.plan/1\nname: a\n")
    assert (
        """
    request:
      aspect_ratio: "16:9"
      duration: 4
      model: veo-3.1-fast-generate-preview
      prompt: |-
        Tokyo at dusk, no: 10.
        Rain falls.
      seed: 7
"""
        in text
    )
