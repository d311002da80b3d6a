"""A real Ray autoscaler whose nodes are processes of this machine: it grows from nothing, and back.

What a cloud would do, start and end machines, is done by Ray's own provider for trying itself out.
The autoscaler is version 2, which `ray up` starts. Version 1 with this provider does not replace a
node that was killed. Ray's stock test cluster is not used: it ends every Ray process there is.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ray.util import get_node_ip_address

from tests.rotlab.execution.processes import descendants, kill, wait_until
from tests.sockets import free_port

_HEAD_NODE = f"{'f' * 51}00000"  # as the provider's nodes are numbered
_PROVIDER = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
_HEAD = "ray.head.default"  # as the provider calls it
_STARTED = "Ray runtime started"
_STARTS_S, _ENDS_S = 120.0, 60.0
_OBJECT_STORE_BYTES = 80 * 2**20
_IDLE_MINUTES = 0.1


class Growing:
    """A cluster that is up: a head without cores, and nodes as its autoscaler has them come.

    Args:
        folder: for Ray's files; its path must be short.
        most: nodes of one core each, beside the head.
    """

    def __init__(self, folder: Path, most: int) -> None:
        port = free_port()
        host = get_node_ip_address()  # type: ignore[no-untyped-call]  # no loopback: nodes need it
        self.address = f"{host}:{port}"
        self._log = folder / "head.log"
        file = folder / "autoscaling.json"
        file.write_text(json.dumps(_config(self.address, most)))
        self.env = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "token",  # Ray's ports listen on all interfaces
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_FAKE_CLUSTER": "1",
            "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": _HEAD_NODE,
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD_NODE,
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        }
        words = ["start", "--head", "--block", f"--port={port}", f"--node-ip-address={host}"]
        words += ["--num-cpus=0", "--num-gpus=0", f"--temp-dir={folder}"]
        words += [f"--autoscaling-config={file}", "--include-dashboard=false"]
        words += [f"--object-store-memory={_OBJECT_STORE_BYTES}", "--disable-usage-stats"]
        with self._log.open("wb") as out:
            self._head = subprocess.Popen(  # noqa: S603  (Ray's own command)
                [str(Path(sys.executable).with_name("ray")), *words],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.env,
                start_new_session=True,
            )

    def wait_for_head(self) -> None:
        """Return once the head is up."""
        wait_until(lambda: _STARTED in self._log.read_text(), _STARTS_S)

    def nodes(self) -> list[int]:
        """Return the processes that are a node each, beside the head, oldest first."""
        found = (
            pid
            for pid, command in descendants(self._head.pid).items()
            if command.split(" ")[0].endswith("/raylet")
        )
        return sorted(found)[1:]

    def stop(self) -> None:
        """End the cluster; what does not end is killed."""
        below = descendants(self._head.pid)
        self._head.terminate()
        try:
            self._head.wait(_ENDS_S)
        finally:
            kill(self._head.pid, *below)


@contextlib.contextmanager
def growing(most: int) -> Iterator[Growing]:
    """Start a cluster that has no node yet, and end it with the block."""
    folder = Path(tempfile.mkdtemp(prefix="growing-", dir="/tmp"))
    cluster = Growing(folder, most)
    try:
        cluster.wait_for_head()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _config(address: str, most: int) -> dict[str, Any]:
    unused = (
        "head_setup_commands",
        "head_start_ray_commands",
        "initialization_commands",
        "setup_commands",
        "worker_setup_commands",
        "worker_start_ray_commands",
        "cluster_synced_files",
    )
    return {
        **{name: [] for name in unused},
        "cluster_name": "growing",
        "max_workers": most,
        "idle_timeout_minutes": _IDLE_MINUTES,
        "upscaling_speed": 10,
        "provider": {
            "type": "external",
            "module": _PROVIDER,
            "gcs_address": address,
            "head_node_id": _HEAD_NODE,
            "launch_multiple": True,
        },
        "head_node_type": _HEAD,
        "available_node_types": {
            _HEAD: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "worker": {
                "resources": {"CPU": 1},
                "node_config": {},
                "min_workers": 0,
                "max_workers": most,
            },
        },
        "auth": {},
        "file_mounts": {},
        "docker": {},
    }
