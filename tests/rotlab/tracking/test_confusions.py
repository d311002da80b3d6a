"""Tables of confusion are read as they were written, from MLflow too; other files are none."""

from pathlib import Path

import numpy as np
import pytest

from rotlab.tracking.client import open_client
from rotlab.tracking.confusions import parse_confusion, read_confusions
from rotnet.learning.table import write_confusion


def test_what_was_written_is_read(tmp_path: Path) -> None:
    names, counts = ('a, "b"', "c"), np.array([[3, 1], [0, 2]])
    found = parse_confusion(write_confusion(tmp_path, names, counts).read_text())
    assert found is not None
    assert found.classes == names
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_array_equal((found + found).counts, 2 * counts)


@pytest.mark.parametrize(
    "text", ["", "class\n", "class,a\nb,1\n", "class,a\na,x\n", "class,a,b\na,1\nb,1\n", "nothing"]
)
def test_what_is_no_table_of_counts_is_none(text: str) -> None:
    assert parse_confusion(text) is None


def test_runs_that_have_none_are_passed_over(uri: str, tmp_path: Path) -> None:
    client = open_client(uri)
    experiment = client.create_experiment("x", str(tmp_path / "artifacts"))
    runs = [client.create_run(experiment).info.run_id for _ in range(3)]
    write_confusion(tmp_path, ("a", "b"), np.array([[1, 0], [2, 3]]))
    client.log_artifact(runs[0], str(tmp_path / "confusion.csv"))
    client.log_text(runs[1], "no table", "confusion.csv")
    found = read_confusions(uri, runs)
    assert list(found) == [runs[0]]
    assert found[runs[0]].counts.tolist() == [[1, 0], [2, 3]]
