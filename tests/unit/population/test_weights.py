from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgptn.experiments.record.fields import Fields
from mgptn.experiments.record.packed_weights import pack_weights, unpack_weights
from mgptn.population.records.agents import Genome
from mgptn.population.records.weights import Weights, learned, merged, noised

WORD = 2**64 - 1


def steps(before):
    """One more step after any weights."""
    founders = st.sampled_from(["a", "b"])
    return st.one_of(
        st.builds(learned, before, founders, st.sampled_from(["c0", "c1"])),
        st.builds(
            noised, before, founders, st.tuples(st.integers(0, WORD), st.integers(0, 3)),
            st.sampled_from([0.0, 0.1]),
        ),
        st.builds(merged, before, founders, before, founders, st.sampled_from([0.25, 0.5])),
    )  # fmt: skip


weights = st.recursive(st.none(), steps, max_leaves=6)


@given(st.lists(weights, max_size=5))
def test_weights_come_back_from_the_journal(several):
    rows, places = msgpack.unpackb(msgpack.packb(pack_weights(several)))
    again = unpack_weights(Fields({"weights": rows}), places)
    assert again == several
    assert [w and w.digest() for w in again] == [w and w.digest() for w in several]
    assert len(rows) == len({tuple(map(str, row)) for row in rows})


@given(weights, weights)
def test_equal_weights_and_only_those_have_equal_digests(one, other):
    if one is not None and other is not None:
        assert (one == other) == (one.digest() == other.digest())


def test_a_genome_is_its_weights_too():
    plain = Genome("gpt-3", 1.0)
    taught = replace(plain, weights=learned(None, "gpt-3", "c"))
    assert plain.digest() != taught.digest()
    assert plain.digest() == Genome("gpt-3", 1.0, weights=None).digest()


def test_what_was_learned_needs_its_file_alone():
    first = learned(None, "a", "c0")
    again = learned(first, "a", "c1")
    assert list(again.contents()) == ["c1"]
    assert again.parent == first.digest()
    assert again != learned(None, "a", "c1")
    mixed = merged(noised(again, "a", (1, 2), 0.1), "a", first, "b", 0.5)
    assert list(mixed.contents()) == ["c1", "c0"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"step": "forgotten"}, "step: expected one of learned, noise, merged, got 'forgotten'"),
        ({"step": "learned", "sources": (None,)}, "sources: expected 0"),
        ({"step": "merged", "sources": (None,)}, "sources: expected 2"),
        ({"step": "learned"}, "content: expected a hash"),
        ({"step": "noise", "sources": (None,), "content": "c"}, "content: expected a hash"),
    ],
)
def test_what_no_weights_can_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Weights(**{"founder": "a", **wrong})


def test_a_share_of_a_merger_is_one():
    with pytest.raises(ValueError, match="share: expected a number from 0 to 1, got 2"):
        merged(None, "a", None, "b", 2)
