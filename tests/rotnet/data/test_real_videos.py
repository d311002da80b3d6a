"""What synthetic videos cannot show: real ones."""

import shutil
from pathlib import Path

from rotnet.data.catalog import FolderKind
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage


def test_the_bars_of_real_clips_are_cut_on_all_four_sides(
    shared_data: Path, tmp_path: Path
) -> None:
    clips = sorted((shared_data / "hockey").glob("*.mp4"))[:4]
    (tmp_path / "source").mkdir()
    for clip in clips:
        shutil.copy(clip, tmp_path / "source")
    kind = FolderKind(unlabelled=True)
    made = prepare(tmp_path / "source", tmp_path / "set", kind, storage=Storage(short_side=54))
    assert len(made.manifest.videos) == 4
    for video in made.manifest.videos:
        assert video.status == "ok"
        assert (video.width, video.height) == (170, 136)
        assert video.area is not None
        # Measured over all 1,000 clips: 84 to 92 rows and 148 to 154 columns are left.
        assert 8 <= video.area.x <= 13
        assert 22 <= video.area.y <= 27
        assert 148 <= video.area.width <= 154
        assert 84 <= video.area.height <= 92
