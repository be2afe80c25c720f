import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from mgptn.agents.engine.places import Places

tokens = st.lists(st.integers(0, 5), min_size=1, max_size=12).map(tuple)
restarts = st.lists(st.integers(0, 5), max_size=3, unique=True).map(tuple)


def plainly(whole, separators):
    """Counted one by one, from the start or from the last separator."""
    places, place = [], -1
    for token in whole:
        place = 0 if token in separators else place + 1
        places.append(place)
    return places


@given(tokens, tokens, restarts)
def test_places_are_counted_from_the_last_separator(prefix, row, separators):
    counting, whole = Places(separators), plainly(prefix + row, separators)
    first = counting.after(prefix)
    found = counting.of_rows(np.array([row]), first)
    assert found[0].tolist() == whole[len(prefix) :]
    assert counting.after(prefix + row) == plainly((*prefix, *row, 9), separators)[-1]


@given(tokens, restarts)
def test_places_one_by_one_are_those_of_rows(row, separators):
    counting, place = Places(separators), torch.tensor([-1])
    found = []
    for token in row:
        place = counting.next(torch.tensor([token]), place)
        found.append(int(place))
    assert found == plainly(row, separators)


def test_a_model_that_says_nothing_counts_from_the_start():
    assert Places.of({}).of_rows(np.array([[3, 3, 3]]), 5).tolist() == [[5, 6, 7]]
    assert Places.of({"mgptn": {"restarts": [3]}}).restarts == (3,)
