from typing import Any

from veogen.simulator.account import summary


def test_the_summary_tells_what_matters_in_a_few_lines() -> None:
    found: dict[str, Any] = {
        "submits": {"posts": 7, "accepted": 3, "replayed": 1, "refused": {"400": 1, "429": 2}},
        "billed": [{"polls": 2}, {"polls": 6}, {"polls": 1}],
        "credits": {"charged": "76.032", "returned": "38.016", "reserved": "0.000"},
        "most_in_flight": 2,
        "polls": {"total": 9, "batches": 1},
        "duplicates": {"by_key": {}, "by_body": {"b0d7": ["task-1", "task-2"]}},
        "media": {"requests": 4, "keys": {"f1a9": 2}},
        "faults": {"submit drop": 1, "poll answer 500": 3},
    }

    assert summary(found).splitlines() == [
        "submits: 7 (new tasks 3, replays 1, refusals 3)",
        "credits charged: 76.032, returned: 38.016, still reserved: 0.000",
        "most tasks in flight: 2",
        "polls: 9, of one task at most 6",
        "keys billed twice: 0",
        "bodies billed under several keys: 1",
        "requests for clips: 4, with a key: 2",
        "faults: poll answer 500 3, submit drop 1",
    ]
