"""Videos prepared on a Ray: the files of one process, whatever dies on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rotlab.cluster import sight
from rotlab.cluster.rounds import Told
from rotlab.cluster.sight import Sight, check_sight
from rotlab.cluster.videos import ClusterHands
from rotlab.execution.on_ray.cluster import cluster
from rotnet.data.hands import processes
from rotnet.data.job import MADE_WITH
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos
from rotnet.errors import UserError
from tests.rotlab.cluster.hands import KIND, die_at_two, made, see_nothing

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_videos(folder, num_videos=6, seed=0, pool=True)
    (folder / "pool_00009.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def local() -> Iterator[None]:
    with cluster(None, 2, 0, verbose=False):
        yield


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("form", ["raw", "jpeg", "source"])
def test_the_set_is_that_of_one_process_byte_for_byte(
    videos: Path, tmp_path: Path, form: str
) -> None:
    storage = Storage(short_side=32, format=form)  # type: ignore[arg-type]  # one of Format
    expected = made(videos, tmp_path / "alone", processes(0), storage)
    assert made(videos, tmp_path / "set", ClusterHands(), storage) == expected
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("local")
def test_a_worker_that_dies_costs_its_video_and_only_if_it_does_so_each_time(
    videos: Path, tmp_path: Path
) -> None:
    hands = ClusterHands(prepare=die_at_two)
    manifest = prepare(videos, tmp_path / "set", KIND, storage=Storage(), hands=hands).manifest
    said = {video.path: video.reason for video in manifest.videos if not video.kept}
    assert said.keys() == {"pool_00001.mp4", "pool_00009.mp4"}
    assert said["pool_00001.mp4"].startswith("the process that decoded it died")


@pytest.mark.usefixtures("local")
def test_a_node_that_does_not_see_the_folders_ends_it_and_what_is_done_is_not_wrong(
    videos: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"node far does not see .*by the same path"):
        prepare(
            videos, tmp_path / "set", KIND, storage=Storage(), hands=ClusterHands(1, see_nothing)
        )
    assert not (tmp_path / "set").exists()


@pytest.mark.usefixtures("local")
def test_each_node_is_asked_beforehand_for_folders_rights_and_decoder(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_sight(videos, tmp_path / "set", 1.0)
    assert list(tmp_path.iterdir()) == []
    for found, said in (
        (Sight(videos, "", (MADE_WITH, 2)), rf"node 127\.0\.0\.1 does not see {videos}"),
        (Sight(None, "Read-only file system", (MADE_WITH, 2)), "cannot write in .*: Read-only"),
        (Sight(None, "", ("PyAV 1", 2)), "decodes by PyAV 1, this machine by PyAV"),
    ):
        monkeypatch.setattr(
            sight, "ask_nodes", lambda *_, found=found, **__: [Told("127.0.0.1", found)]
        )
        with pytest.raises(UserError, match=said):
            check_sight(videos, tmp_path / "set", 1.0)
