"""Two processes pretrain on Ray: whichever of them dies, it goes on, to the same network."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rotlab.planning.plan.planned import plan_file
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotnet.data.manifest import Manifest
from rotnet.learning.checkpoint import load_network
from tests.rotlab.execution.processes import descendants, is_alive, kill, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
WAIT_S = 300.0  # on a machine that does much else
SPACE = """
name: two
base: tiny
data: {{pretrain: pool, target: actions}}
clip: {{frames: 4, stride: 1, resize: 24, size: 20}}
model: {{width: 2, hidden: 4, dropout: 0.5}}
pretrain:
  {{epochs: 30, steps_per_epoch: 5, val_fraction: 0.25, batch_size: 8, accumulate: 2, lr: 0.001}}
runtime: {{checkpoint_s: 0.0}}
measure: [retrieval]
resources: {{pretrain: {{{resources}}}}}
"""


@pytest.fixture
def data(tmp_path: Path, actions: Manifest, pool: Manifest) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "actions").symlink_to(actions.folder)
    (tmp_path / "data" / "pool").symlink_to(pool.folder)
    return tmp_path / "data"


class Study:
    """The study, with a store of its own."""

    def __init__(self, data: Path, name: str, resources: str) -> None:
        self._data, self._file = data, data.parent / f"{name}.yaml"
        self._file.write_text(SPACE.format(resources=resources))
        self.store = Store(data.parent / name)
        stages = plan_file(self._file, data).plan.stages.values()
        (self.stage,) = (one for one in stages if one.kind == "pretrain")

    def start(self) -> subprocess.Popen[str]:
        places = ("--data", str(self._data), "--store", str(self.store.root))
        return subprocess.Popen(  # noqa: S603  (our own command)
            [sys.executable, "-m", "rotlab.cli", "run", str(self._file), "--cpus", "2", *places],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def run(self) -> None:
        driver = self.start()
        said, _ = driver.communicate(timeout=WAIT_S)
        assert driver.returncode == 0, said

    def processes(self, number: int) -> tuple[int, int]:
        """Wait until an attempt, from 0, has begun to learn; return its worker and its helper."""
        wait_until(lambda: self._has_begun(number), WAIT_S)
        log = self.store.logs(self.stage)[number]
        texts = (log, self.store.helper_log_path(self.stage, log.stem, 1))
        worker, helper = (re.findall(r"process (\d+)", path.read_text())[0] for path in texts)
        return int(worker), int(helper)

    def _has_begun(self, number: int) -> bool:
        logs = self.store.logs(self.stage)
        return len(logs) > number and "watch: step " in logs[number].read_text()

    @property
    def record(self) -> Record:
        found = self.store.record(self.stage.key, "pretrain")
        assert found is not None
        return found

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        return dict(load_network(self.store.result_folder(self.record)).weights)

    def causes(self) -> list[str | None]:
        events = Journal(self.store.journal_path("two")).read()
        return [
            e.get("cause")
            for e in events
            if e["event"] == "stage_ended" and e["key"] == self.stage.key
        ]


def test_whichever_process_dies_the_stage_goes_on_and_ends_as_undisturbed(data: Path) -> None:
    whole, hit = (Study(data, name, "processes: 2") for name in ("whole", "hit"))
    whole.run()
    driver = hit.start()
    try:
        worker, helper = hit.processes(0)
        assert {worker, helper} <= descendants(driver.pid).keys()
        kill(helper)
        after = hit.processes(1)
        assert not is_alive(worker)  # a process in which a stage failed is given up
        kill(after[0])
        last = hit.processes(2)
        assert not is_alive(after[1])
        driver.send_signal(signal.SIGINT)
        said, _ = driver.communicate(timeout=WAIT_S)
        wait_until(lambda: not any(map(is_alive, last)), WAIT_S)
    finally:
        kill(driver.pid, *descendants(driver.pid))
    assert driver.returncode == 130, said
    hit.run()
    assert hit.causes() == ["worker", "worker", None, None]
    assert hit.record.metrics == whole.record.metrics
    assert hit.record.processes == 2
    assert all(torch.equal(hit.weights[name], value) for name, value in whole.weights.items())
