"""Cluster files: ours are in order, and each way to break one is refused with its reason."""

from pathlib import Path

import pytest

from rotlab.cluster.check import check_file
from rotlab.planning.space.problems import SpecError
from tests.rotlab.cluster.broken import AWS, BROKEN, FILES, GCP, KEY

ROOT = Path(__file__).parents[3]


def broken(tmp_path: Path, file: str, old: str, new: str) -> SpecError:
    text = (ROOT / file).read_text()
    assert old in text
    path = tmp_path / "cluster.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(SpecError) as refused:
        check_file(path)
    return refused.value


@pytest.mark.parametrize(("file", "store"), [(AWS, "s3://mine/store"), (GCP, "gs://mine/store")])
def test_a_store_in_a_bucket_is_seen_by_all_nodes(file: str, store: str, tmp_path: Path) -> None:
    text = (ROOT / file).read_text()
    path = tmp_path / "cluster.yaml"
    path.write_text(text.replace("ROTLAB_STORE=/shared/store", f"ROTLAB_STORE={store}"))
    assert check_file(path).layout.variables["ROTLAB_STORE"].text == store


@pytest.mark.parametrize("file", FILES)
def test_our_own_files_are_in_order(file: str) -> None:
    checked = check_file(ROOT / file)
    assert all("still the example's" in warning for warning in checked.warnings)
    assert checked.layout.head.market == "on demand"
    assert {node.low for node in checked.layout.workers} == {0}
    assert {node.gpus for node in checked.layout.workers} >= {0, 1, 8}


@pytest.mark.parametrize(("file", "old", "new", "reason"), BROKEN)
def test_a_broken_file_is_refused_with_the_reason(
    tmp_path: Path, file: str, old: str, new: str, reason: str
) -> None:
    assert reason in str(broken(tmp_path, file, old, new))


@pytest.mark.parametrize("case", [BROKEN[2], BROKEN[7], BROKEN[17], BROKEN[30], BROKEN[36]])
def test_a_reason_has_its_line(tmp_path: Path, case: tuple[str, str, str, str]) -> None:
    assert all(problem.line for problem in broken(tmp_path, *case[:3]).problems)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = (ROOT / AWS).read_text()
    for file, old, new, _ in (BROKEN[0], BROKEN[8], BROKEN[18], BROKEN[23], BROKEN[36]):
        assert file == AWS
        text = text.replace(old, new)
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as refused:
        check_file(path)
    said = str(refused.value)
    for reason in ("max_worker'", "go on costing", "listens on 0.0.0.0", "is disabled", ":latest"):
        assert reason in said


def test_a_secret_is_not_repeated(tmp_path: Path) -> None:
    said = str(broken(tmp_path, AWS, "ROTNET_CACHE_GB=150", f"AWS_ACCESSKEY_ID={KEY}"))
    assert KEY not in said


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (
            "min_workers: 0\n    max_workers: 16",
            "min_workers: 2\n    max_workers: 16",
            "gpu1-spot: 2 of its nodes, with 2 GPUs, cost whether there is work or not",
        ),
        ("idle_timeout_minutes: 5", "idle_timeout_minutes: 90", "goes only after 90 idle minutes"),
        ("priority: 20", "priority: 1", "gpu1, on demand, is taken as soon"),
        ("resources: {CPU: 0}", "resources: {CPU: 0, GPU: 1}", "never goes when idle"),
    ],
)
def test_what_is_unwise_is_warned_of(tmp_path: Path, old: str, new: str, warning: str) -> None:
    text = (ROOT / AWS).read_text()
    assert old in text
    text = text.replace(old, new).replace("InstanceType: m6i.large", "InstanceType: other.large")
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    assert warning in "\n".join(check_file(path).warnings)


def test_something_else_is_told_what_a_cluster_file_is(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    with pytest.raises(SpecError, match="a cluster file is for `ray up`"):
        check_file(path)
