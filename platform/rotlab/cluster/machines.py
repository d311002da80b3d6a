"""How many GPUs the machines of AWS and Google Cloud have, by their names.

From the providers' lists of machine types, for the families that training is done on; a name of
another family is not known, and nothing is said of it.
"""

import re

_ONE_TO_EIGHT = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}
_AWS = {
    "g4dn": {"12xlarge": 4, "metal": 8},
    "g5": _ONE_TO_EIGHT,
    "g6": _ONE_TO_EIGHT,
    "g6e": _ONE_TO_EIGHT,
    "p3": {"8xlarge": 4, "16xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
}
_CORES_ONLY = re.compile(r"(t[234]|m[5678]|c[5678]|r[5678])[a-z]*\.\w+")
_G2 = {24: 2, 48: 4, 96: 8}
_GCP_CORES_ONLY = re.compile(
    r"(e2|n1|n2d?|n4|c2d?|c3d?|c4a?|t2d)-(standard|highcpu|highmem|medium)"
)


def gpus_of(machine: str) -> int | None:
    """Return the number of GPUs of a machine, None where its name is not known.

    >>> [gpus_of(name) for name in ("g6.xlarge", "g2-standard-48", "a2-highgpu-8g", "m6i.large")]
    [1, 4, 8, 0]
    """
    family, _, size = machine.partition(".")
    if family in _AWS:
        return _AWS[family].get(size, 1)
    if _CORES_ONLY.fullmatch(machine):
        return 0
    if found := re.fullmatch(r"g2-standard-(\d+)", machine):
        return _G2.get(int(found[1]), 1)
    if found := re.fullmatch(r"a[234]-\w+gpu-(\d+)g", machine):
        return int(found[1])
    return 0 if _GCP_CORES_ONLY.match(machine) and not machine.startswith("n1") else None
