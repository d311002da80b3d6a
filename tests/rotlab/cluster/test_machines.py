"""How many GPUs a machine's name stands for."""

import pytest

from rotlab.cluster.machines import gpus_of


@pytest.mark.parametrize(
    ("machine", "gpus"),
    [
        ("g6.xlarge", 1), ("g5.12xlarge", 4), ("g6.16xlarge", 1), ("p4d.24xlarge", 8),
        ("p5.4xlarge", 1), ("g4dn.metal", 8), ("m6i.large", 0), ("c7g.4xlarge", 0),
        ("g2-standard-8", 1), ("g2-standard-24", 2), ("a2-ultragpu-4g", 4), ("a3-highgpu-8g", 8),
        ("e2-standard-2", 0), ("n1-standard-8", None), ("trn1.2xlarge", None), ("gpu1", None),
    ],
)  # fmt: skip
def test_a_name_stands_for_a_number_of_gpus_or_is_not_known(machine: str, gpus: int | None) -> None:
    assert gpus_of(machine) == gpus
