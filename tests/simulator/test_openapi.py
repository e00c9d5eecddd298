"""What is served is what the document says, whatever is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from customer import KEY
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from veogen.models.model import shipped
from veogen.simulator.openapi import document
from veogen.simulator.scenario import AccountSettings, Options
from veogen.simulator.server import Simulator, running

API = schemathesis.openapi.from_dict(document(shipped()))
OPERATIONS: dict[str, Any] = {
    found.ok().label: found.ok() for found in API.get_all_operations() if isinstance(found, Ok)
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OF_BODIES = [*CHECKS, negative_data_rejection]  # an unknown query parameter is nobody's mistake


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    told = Options(generation_time=0, gateway=AccountSettings(clips="shared", max_files=10**6))
    with running(told) as simulator:
        yield simulator


@pytest.mark.slow
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: f"{mode.value} requests")
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_conforms(simulator: Simulator, name: str, mode: GenerationMode) -> None:
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def conforms(case: Any) -> None:
        case.call_and_validate(
            base_url=simulator.base_url,
            headers={"Authorization": f"Bearer {KEY}"},
            checks=OF_BODIES if name.startswith("POST") else CHECKS,
        )

    conforms()


def test_the_document_is_served_to_everybody(simulator: Simulator) -> None:
    served = requests.get(f"{simulator.base_url}/openapi.json", timeout=30)

    assert served.json() == document(shipped())
    assert served.json()["openapi"] == "3.1.0"
