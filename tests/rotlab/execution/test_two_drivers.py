"""Two drivers of one study in one store, one of them stopped for a while."""

from pathlib import Path

import pytest

from rotlab.store.store import Store
from tests.chaos.drivers import check, run_together

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_work_is_shared_and_that_of_one_that_stands_still_is_taken_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    together = run_together(store)
    check(together, store)
    assert sum("is being run by" in each.out for each in (together.awake, together.late)) == 1
    assert together.wasted < 20
