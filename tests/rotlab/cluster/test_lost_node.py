"""A node that is lost while videos are prepared: the files of one process, all the same."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray._private import ray_constants
from ray.cluster_utils import Cluster

from rotlab.cluster.videos import ClusterHands
from rotnet.data.hands import processes
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos
from tests.rotlab.cluster.hands import be_slow, made, notes_of
from tests.rotlab.execution.processes import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
OBJECTS = 80 * 2**20  # bytes


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A head without cores on loopback, which this process has joined."""
    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", False)
    monkeypatch.setattr("ray._private.utils.write_ray_address", lambda *_: None)  # found by nobody
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        head = {"num_cpus": 0, "node_ip_address": "127.0.0.1", "temp_dir": folder}
        found = Cluster(True, head_node_args={**head, "object_store_memory": OBJECTS})
        try:
            ray.init(address=found.address, log_to_driver=False)
            yield found
        finally:
            ray.shutdown()
            found.shutdown()  # type: ignore[no-untyped-call]  # Ray's own


def test_a_node_that_is_lost_costs_nothing_but_time(nodes: Cluster, tmp_path: Path) -> None:
    videos, out, storage = tmp_path / "videos", tmp_path / "set", Storage(short_side=32)
    write_videos(videos, num_videos=8, seed=0, pool=True)
    expected = made(videos, tmp_path / "alone", processes(0), storage)
    workers = [nodes.add_node(num_cpus=1, object_store_memory=OBJECTS) for _ in range(2)]

    def lose() -> None:
        wait_until(lambda: len({note.split("-")[0] for note in notes_of(out)}) == 2, 60)
        nodes.remove_node(workers[0], allow_graceful=False)

    losing = threading.Thread(target=lose)
    losing.start()
    assert made(videos, out, ClusterHands(prepare=be_slow), storage) == expected
    losing.join()
