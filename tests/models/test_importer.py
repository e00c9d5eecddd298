"""Model files from the gateway's documents: what they say, what they cannot, what is refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from veogen.errors import UsageError
from veogen.models.custom import read_model
from veogen.models.importer import MOST_BYTES, import_models, parse_json
from veogen.models.model import Model, shipped
from veogen.models.parameters import Json, Parameter
from veogen.models.price_document import PriceDocument
from veogen.models.prices import RulePrice

DOCUMENTS = Path(__file__).parent / "documents"

KLING, OMNI = "kling-v3-text-to-video", "gemini-omni-flash-text-to-video"
FLASH, SEEDANCE = "wan2.6-image-to-video-flash", "seedance-2.5-text-to-video"


def openapi(model: str) -> Any:
    return json.loads((DOCUMENTS / f"openapi-{model}.json").read_text())


def prices(name: str = "prices-list.json") -> PriceDocument:
    return PriceDocument(parse_json((DOCUMENTS / name).read_bytes(), name), name)


def imported(model: str) -> tuple[Model, tuple[str, ...]]:
    """The model as its written file is read, and what is listed as unknown."""
    name = f"openapi-{model}.json"
    (found,) = import_models((DOCUMENTS / name).read_bytes(), name, prices())
    return read_model(found.text().encode(), f"{model}.yaml"), found.unknown


ONLY_IN_PROSE = {
    KLING: {
        ("callback_url", "max_length", 2048),
        ("model_params.multi_prompt.item.index", "minimum", 1),
        ("model_params.multi_prompt.item.duration", "unit", "seconds"),
        ("duration", "unit", "seconds"),
    },
    OMNI: {("callback_url", "max_length", 2048), ("duration", "unit", "seconds")},
    FLASH: {
        ("callback_url", "max_length", 2048),
        ("duration", "unit", "seconds"),
        ("quality", "enum", ("720p", "1080p")),
        ("quality", "default", "720p"),
        ("image_urls", "min_items", 1),
        ("image_urls", "max_bytes", 10485760),
        ("image_urls", "min_side", 360),
        ("image_urls", "max_side", 2000),
        ("prompt_extend", "default", True),
        ("model_params.shot_type", "default", "single"),
        ("audio_url", "max_bytes", 15728640),
    },
    SEEDANCE: {
        ("callback_url", "max_length", 2048),
        ("duration", "unit", "seconds"),
        ("duration", "minimum", 4),
        ("duration", "maximum", 30),
        ("duration", "words", (-1,)),
        ("aspect_ratio", "moving", True),
    },
}
"""What the shipped files have besides: no document has it in a form that can be read."""


def fields(parameters: Any, above: str = "") -> Iterator[tuple[str, str, Any]]:
    """All that is said of parameters, less what is for people."""
    for name, parameter in parameters.items():
        yield from facts(f"{above}{name}", parameter)


def facts(path: str, parameter: Parameter) -> Iterator[tuple[str, str, Any]]:
    empty = Parameter(name="", kind="any", description="", source="")
    for field in Parameter.__slots__:
        value = getattr(parameter, field)
        if field in ("name", "description", "source", "properties", "item"):
            continue
        if value != getattr(empty, field):
            yield path, field, value
    yield from fields(parameter.properties, f"{path}.")
    if parameter.item is not None:
        yield from facts(f"{path}.item", replace(parameter.item, name="item"))


@pytest.mark.parametrize("id_", [KLING, OMNI, FLASH, SEEDANCE])
def test_an_imported_file_says_what_the_shipped_one_says_but_for_what_stands_in_prose(
    id_: str,
) -> None:
    model, unknown = imported(id_)
    ours = shipped()[id_]

    assert set(fields(ours.parameters)) - set(fields(model.parameters)) == ONLY_IN_PROSE[id_]
    assert set(fields(model.parameters)) - set(fields(ours.parameters)) == set()
    assert model.expected_seconds == ours.expected_seconds
    for path, field, _ in ONLY_IN_PROSE[id_] - {("aspect_ratio", "moving", True)}:
        listed = path.replace(".item", "[]").split("[]")[0]
        assert field == "unit" or any(line.startswith(f"{listed}") for line in unknown), path
    assert [line.partition(":")[0] for line in unknown[-4:]] == [
        "rules",
        "audio, pixels",
        "defaults",
        "retired",
    ]


@pytest.mark.parametrize("id_", [KLING, OMNI, FLASH, SEEDANCE])
def test_an_imported_price_is_the_shipped_one(id_: str) -> None:
    price, ours = imported(id_)[0].price, shipped()[id_].price

    assert isinstance(price, RulePrice)
    assert isinstance(ours, RulePrice)
    assert price.rules.parameters == ours.rules.parameters
    assert price.rules.components == ours.rules.components
    assert (price.date, price.credits_per_usd, price.lowest, price.settlement) == (
        ours.date,
        ours.credits_per_usd,
        ours.lowest,
        ours.settlement,
    )


@pytest.mark.parametrize(
    ("id_", "body", "price"),
    [
        pytest.param(KLING, {"duration": 10, "quality": "1080p"}, ("72.036", "exact"), id="kling"),
        pytest.param(FLASH, {"duration": 5}, ("11.900", "exact"), id="wan, of 720p by the rules"),
        pytest.param(FLASH, {"duration": 6, "quality": "720p"}, ("14.280", "exact"), id="wan"),
        pytest.param(SEEDANCE, {"duration": -1}, ("602.700", "at most"), id="seedance"),
        pytest.param(
            OMNI, {"duration": 10}, (None, "unknown"), id="omni, whose tokens nobody states"
        ),
    ],
)
def test_an_imported_model_prices_what_its_documents_settle(
    id_: str, body: dict[str, Json], price: tuple[str | None, str]
) -> None:
    quote = imported(id_)[0].quote(body)

    assert (None if quote.credits is None else str(quote.credits), quote.certainty) == price


def test_a_default_that_stands_in_prose_alone_is_assumed_by_the_price() -> None:
    assert imported(FLASH)[0].quote({"duration": 5}).assumed == {"quality": "'720p'"}


def test_a_price_is_taken_for_its_very_name_and_no_near_one() -> None:
    document = openapi(KLING)
    schema = document["components"]["schemas"]["VideoGenerationRequest"]
    schema["properties"]["model"]["enum"] = ["kling-v3"]

    (found,) = import_models(json.dumps(document).encode(), "o.json", prices())

    assert "prices" not in found.data
    assert "price: prices-list.json has none of this name" in found.unknown


def test_capitals_of_an_id_are_no_other_name_in_the_prices() -> None:
    document = openapi(KLING)
    schema = document["components"]["schemas"]["VideoGenerationRequest"]
    schema["properties"]["model"]["enum"] = ["Kling-V3-text-to-video"]

    (found,) = import_models(json.dumps(document).encode(), "o.json", prices())

    assert found.data["prices"]["lowest"] is True


def test_a_price_of_the_route_that_is_taken_first_is_not_said_to_be_the_lowest() -> None:
    price = prices("prices-single-route.json").price("kling-v3-image-to-video")

    assert price.data is not None
    assert "lowest" not in price.data
    assert price.data["date"] == "2026-10-10"
    assert Decimal(price.data["credits_per_usd"]) == 68


def test_a_document_of_several_requests_describes_several_models() -> None:
    document = openapi(KLING)
    schemas = document["components"]["schemas"]
    second = json.loads(json.dumps(schemas["VideoGenerationRequest"]))
    second["properties"]["model"]["enum"] = ["kling-v9"]
    schemas["Both"] = {"oneOf": [{"$ref": "#/components/schemas/VideoGenerationRequest"}, second]}
    body = document["paths"]["/v1/videos/generations"]["post"]["requestBody"]
    body["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/Both"}
    raw = json.dumps(document).encode()

    assert [each.id for each in import_models(raw, "o.json")] == [KLING, "kling-v9"]
    assert [each.id for each in import_models(raw, "o.json", only="kling-v9")] == ["kling-v9"]
    with pytest.raises(
        UsageError, match=f"o.json describes no 'x'; it describes {KLING}, kling-v9"
    ):
        import_models(raw, "o.json", only="x")


def properties(document: Any) -> Any:
    return document["components"]["schemas"]["VideoGenerationRequest"]["properties"]


def with_model(id_: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        properties(document)["model"]["enum"] = [id_]

    return change


def with_parameter(name: str, schema: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        properties(document)[name] = schema

    return change


def in_a_circle(document: Any) -> None:
    schemas = document["components"]["schemas"]
    schemas["A"], schemas["B"] = (
        {"$ref": "#/components/schemas/B"},
        {"$ref": "#/components/schemas/A"},
    )
    properties(document)["prompt"] = {"$ref": "#/components/schemas/A"}


def holding_itself(document: Any) -> None:
    properties(document)["model_params"] = {"$ref": "#/components/schemas/VideoGenerationRequest"}


def holding_many(document: Any) -> None:
    leaves = {f"p{number}": {"type": "string"} for number in range(50)}
    inner = {"type": "object", "properties": leaves}
    properties(document).update({f"q{number}": inner for number in range(50)})


def listing_itself(document: Any) -> None:
    schemas = document["components"]["schemas"]
    schemas["A"] = {"type": "array", "items": {"$ref": "#/components/schemas/A"}}
    properties(document)["scenes"] = {"$ref": "#/components/schemas/A"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(listing_itself, "is within too many others", id="a list of itself"),
        pytest.param(
            with_model("../../../etc/cron"), "which is no id", id="an id that leaves the folder"
        ),
        pytest.param(with_model("a/b"), "which is no id", id="an id with a folder"),
        pytest.param(with_model("..model"), "which is no id", id="an id with dots"),
        pytest.param(with_model(".hidden"), "which is no id", id="an id that hides"),
        pytest.param(with_model("a\x1b[2J"), "which is no id", id="an id that paints"),
        pytest.param(with_model("a" * 200), "which is no id", id="an id without end"),
        pytest.param(with_model(7), "which is no id", id="an id that is a number"),
        pytest.param(
            with_parameter("model", {"type": "string", "enum": ["a", "b"]}),
            "names not one model, but ['a', 'b']",
            id="an overview of models",
        ),
        pytest.param(
            with_parameter("prompt", {"$ref": "https://evil.example/x.json"}),
            "refers outside of itself: 'https://evil.example/x.json'",
            id="a reference to another host",
        ),
        pytest.param(
            with_parameter("prompt", {"$ref": "file:///etc/passwd"}),
            "refers outside of itself",
            id="a reference to a file",
        ),
        pytest.param(
            with_parameter("prompt", {"$ref": "#/components/schemas/None"}),
            "has no request schema",
            id="a reference to nothing",
        ),
        pytest.param(in_a_circle, "refers in a circle", id="a circle of references"),
        pytest.param(holding_itself, "is within too many others", id="a schema that holds itself"),
        pytest.param(
            holding_many, "a request has more than 200 parameters", id="a schema of thousands"
        ),
        pytest.param(
            with_parameter("a b", {"type": "string"}),
            "'a b' is no name of a parameter",
            id="a name with a blank",
        ),
        pytest.param(
            with_parameter("duration", {"type": "integer", "minimum": "3"}),
            "minimum is no number",
            id="a bound that is a text",
        ),
        pytest.param(
            with_parameter("duration", {"type": "integer", "enum": []}),
            "has values that are not read",
            id="no values at all",
        ),
        pytest.param(
            with_parameter("duration", {"type": "integer", "minimum": 9, "maximum": 3}),
            "contradicts itself: ",
            id="bounds that leave nothing",
        ),
        pytest.param(
            with_parameter("duration", {"oneOf": [{"type": "integer"}]}),
            "has a 'oneOf' that is not read",
            id="a choice of one",
        ),
        pytest.param(
            with_parameter("prompt", "a string"), "is no schema", id="a schema that is a text"
        ),
    ],
)
def test_a_hostile_or_contradictory_document_is_refused(
    change: Callable[[Any], None], message: str
) -> None:
    document = openapi(KLING)
    change(document)

    with pytest.raises(UsageError) as error:
        import_models(json.dumps(document).encode(), "o.json")

    assert message in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"", "o.json is no JSON that can be used", id="nothing"),
        pytest.param(b"{", "o.json is no JSON that can be used", id="half of it"),
        pytest.param(b"\xff\xfe{}", "o.json is no JSON that can be used", id="another encoding"),
        pytest.param(b"[]", "o.json is not a JSON object", id="a list"),
        pytest.param(b'{"a": 1, "a": 2}', "'a' stands twice", id="a key twice"),
        pytest.param(b'{"a": NaN}', "NaN is no number that JSON has", id="no number"),
        pytest.param(
            b'{"a": "\\ud800"}', "o.json holds half of a character", id="half a character"
        ),
        pytest.param(
            b'{"a":' * 70 + b"1" + b"}" * 70, "o.json is nested more than 64 deep", id="deep"
        ),
        pytest.param(
            b"[" * 100_000 + b"]" * 100_000, "o.json is no JSON that can be used", id="deeper"
        ),
        pytest.param(b" " * (MOST_BYTES + 1), "o.json has more than 4 MiB", id="large"),
        pytest.param(b"{}", "o.json has no request schema", id="another document"),
    ],
)
def test_a_damaged_document_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(UsageError) as error:
        import_models(raw, "o.json")

    assert message in str(error.value)


def price_list() -> Any:
    return json.loads((DOCUMENTS / "prices-list.json").read_text())


def put(*steps: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *outer, last = steps
        for step in outer:
            document = document[step]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            put("meta", "schema_version", value="3"),
            "p.json is no document of prices of version '2'",
            id="another version",
        ),
        pytest.param(put("models", value={}), "p.json holds no models", id="no list"),
        pytest.param(
            put("meta", "price_selection", value="cheapest"),
            "p.json has a 'price_selection' that is not read",
            id="another selection",
        ),
        pytest.param(
            put("meta", "exchange_rate_version", value="?"),
            "p.json has no rate of exchange",
            id="no rate",
        ),
        pytest.param(put("meta", "updated_at", value=0), "p.json has no date", id="no date"),
        pytest.param(
            put("models", 0, "components", 0, "quantity_rule", "op", value="eval"),
            "p.json: the price of 'kling-v3-text-to-video' cannot be read: 'eval' is not an operator",
            id="an operator",
        ),
        pytest.param(
            put("models", 0, "settlement_basis", value="later"),
            "its settlement 'later' is not known",
            id="another settlement",
        ),
        pytest.param(
            put("models", 0, "components", 0, "pricing_status", value="unavailable"),
            "a component of the price is not available",
            id="a component that is not for sale",
        ),
        pytest.param(
            put("models", 1, "model_id", value=KLING),
            "p.json has two prices of 'kling-v3-text-to-video'",
            id="two prices",
        ),
    ],
)
def test_prices_that_cannot_be_read_are_refused(
    change: Callable[[Any], None], message: str
) -> None:
    document = price_list()
    change(document)

    with pytest.raises(UsageError) as error:
        PriceDocument(document, "p.json").price(KLING)

    assert message in str(error.value)


def test_a_keyword_that_is_not_read_is_listed() -> None:
    document = openapi(KLING)
    properties(document)["negative_prompt"]["pattern"] = "^[a-z]+$"

    (found,) = import_models(json.dumps(document).encode(), "o.json")

    assert "negative_prompt: 'pattern' is not read: '^[a-z]+$'" in found.unknown


def test_prose_cannot_write_into_the_file() -> None:
    document = openapi(KLING)
    text = "must be 1\u2028prices: {}\n\nrequired: \u202eevil\x00\r\nid: other"
    properties(document)["prompt"]["description"] = text

    (found,) = import_models(json.dumps(document).encode(), "o.json")

    assert read_model(found.text().encode(), "m.yaml").id == KLING
    assert all(line.isprintable() for line in found.unknown)
