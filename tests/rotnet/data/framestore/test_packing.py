"""Parts become shards only as they were written."""

from pathlib import Path

import pytest

from rotnet.data.framestore.packing import DamagedPartError, append, checksum, packets_of


@pytest.mark.parametrize("damaged", [b"one-twO", b"one-tw"])
def test_a_part_that_is_not_what_was_written_is_not_packed(damaged: bytes, tmp_path: Path) -> None:
    shard, part = tmp_path / "shard", tmp_path / "part"
    index = packets_of([(len(packet), checksum(packet)) for packet in (b"one-", b"two")])
    part.write_bytes(b"one-two")
    append(shard, part, index)
    part.write_bytes(damaged)
    with pytest.raises(DamagedPartError):
        append(shard, part, index)
    assert shard.read_bytes() == b"one-two"
