"""The bench of reading still runs, at a size that takes no time."""

from reading import FLOOR, OURS, PEER, manifest, measure, table

from veogen.document.reader import read
from veogen.document.shape import flaws_of
from veogen.spec.file import SPEC


def test_the_bench_runs_and_reads_a_spec_without_mistakes() -> None:
    assert list(measure(20_000, rounds=1)) == [FLOOR, OURS, PEER]
    assert flaws_of(read(manifest(20_000), "a.yaml"), SPEC) == []
    assert "times faster than CSafeLoader" in table(20_000, rounds=1)
