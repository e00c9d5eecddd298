"""What holds for every plan, whatever its spec."""

import json
import os
import subprocess
import sys
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.project import MemoryFiles

from veogen.document.reader import read
from veogen.document.writer import write
from veogen.models.model import shipped
from veogen.planner.plan import Plan, plan_data, totals_of
from veogen.planner.planner import plan
from veogen.spec.load import load_spec

ROOT = Path(__file__).parent.parent.parent


def planned(shot: dict[str, Any]) -> Plan:
    text = json.dumps({"veogen": 1, "name": "a", "shots": [{"name": "s", **shot}]})
    return plan(load_spec(Path("a.yaml"), files=MemoryFiles({"a.yaml": text})))


def hashes(shot: dict[str, Any]) -> dict[str, str]:
    return {request.address: request.hash for request in planned(shot).requests}


WORDS = st.text(st.sampled_from("abcXYZ 019-,=é"), min_size=1, max_size=5).map(
    lambda text: f"w{text}".strip()
)
SCALARS = st.one_of(WORDS, st.integers(-3, 99), st.booleans())
LOOKS = st.builds(
    lambda name, entries: {"id": name, **entries},
    st.sampled_from("pqrstu"),
    st.dictionaries(st.sampled_from(["light", "grade", "keys"]), WORDS, min_size=1),
)
PROMPT = "{{ a }}/{{ b }}/{{ look.id }}"  # differs for every combination


@st.composite
def matrices(draw: st.DrawFn) -> dict[str, list[Any]]:
    return {
        "a": draw(st.lists(SCALARS, min_size=1, max_size=4, unique_by=str)),
        "b": draw(st.lists(SCALARS, min_size=1, max_size=3, unique_by=str)),
        "look": draw(st.lists(LOOKS, min_size=1, max_size=3, unique_by=lambda one: one["id"])),
    }


def same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


@settings(deadline=None, max_examples=60)
@given(matrices(), st.data(), st.integers(1, 3))
def test_a_plan_is_the_product_less_excludes_plus_includes_times_takes(
    matrix: dict[str, list[Any]], data: st.DataObject, takes: int
) -> None:
    excluded = data.draw(
        st.lists(st.sampled_from(matrix["a"]), max_size=len(matrix["a"]) - 1, unique_by=str)
    )
    new = data.draw(st.lists(st.integers(100, 120), max_size=3, unique=True))
    includes = [{"a": one, "b": "new", "look": matrix["look"][0]["id"]} for one in new]
    extra = {"exclude": [{"a": one} for one in excluded], "include": includes}

    found = planned({"prompt": PROMPT, "matrix": {**matrix, **extra}, "takes": takes}).requests

    kept = [one for one in matrix["a"] if not any(same(one, other) for other in excluded)]
    size = len(kept) * len(matrix["b"]) * len(matrix["look"]) + len(new)
    assert len(found) == size * takes
    assert len({request.address for request in found}) == size * takes
    assert prod(map(len, matrix.values())) * takes >= len(found) - len(new) * takes


@settings(deadline=None, max_examples=60)
@given(matrices(), st.data())
def test_another_value_changes_no_other_request(
    matrix: dict[str, list[Any]], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["a", "b"]))
    place = data.draw(st.integers(0, len(matrix[name])))
    longer = [*matrix[name][:place], "quite new", *matrix[name][place:]]

    before = hashes({"prompt": PROMPT, "matrix": matrix})
    after = hashes({"prompt": PROMPT, "matrix": {**matrix, name: longer}})

    assert before.items() <= after.items()


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(matrices(), st.randoms(use_true_random=False))
def test_the_order_of_keys_and_values_changes_no_request(
    matrix: dict[str, list[Any]], random: Any
) -> None:
    def shuffled(items: Any) -> list[Any]:
        found: list[Any] = random.sample(list(items), len(items))
        return found

    mixed = {
        name: [
            dict(shuffled(one.items())) if isinstance(one, dict) else one
            for one in shuffled(values)
        ]
        for name, values in shuffled(matrix.items())
    }
    prompt = "{{ a }}/{{ b }}/{{ look.id }}/{{ look.light | d }}/{{ look | tojson }}"

    assert hashes({"prompt": prompt, "matrix": mixed}) == hashes(
        {"prompt": prompt, "matrix": matrix}
    )


@settings(deadline=None, max_examples=60)
@given(matrices())
def test_a_plan_as_yaml_is_read_as_it_was_written(matrix: dict[str, list[Any]]) -> None:
    found = planned({"prompt": PROMPT, "matrix": matrix})
    data = plan_data(found, totals_of(found.requests, shipped()), lambda _: "new", None)

    text = write(data)

    assert read(text.encode(), "plan.yaml") == data
    assert write(data) == text


@pytest.mark.parametrize("format_", ["json", "jsonl", "table"])
def test_the_same_bytes_under_every_hash_seed(format_: str) -> None:
    command = [sys.executable, "-m", "veogen", "plan", "specs/cities.yaml", "--format", format_]

    texts = {
        subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(texts) == 1
