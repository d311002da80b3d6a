import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from rotlab.reporting.family import adjust, holm
from rotlab.reporting.statistics import Difference, welch


@settings(max_examples=15, deadline=None)  # multipletests collects garbage at every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_corrected_p_values_are_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_what_was_not_tested_is_no_part_of_the_family() -> None:
    untested = Difference(0.1, (2, 3), 0.0, 0.2)
    tested = welch([0.5, 0.6, 0.7], [0.1, 0.2, 0.3])
    found = adjust([untested, None, tested])
    assert found[0] is untested
    assert found[1] is None
    assert found[2] is not None
    assert found[2].adjusted_p == found[2].p


def test_no_test_is_no_family() -> None:
    assert adjust([]) == []
    assert np.size(holm([])) == 0
