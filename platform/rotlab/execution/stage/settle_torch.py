"""Torch's share of a process made like a fresh one: generators, threads, flags, caches."""

import torch


def settle_torch(seed: int, cpus: int, gpus: float | None = None) -> None:
    """Put torch where every stage starts from.

    Args:
        seed: of all devices' global generators.
        cpus: threads to compute with.
        gpus: devices, or the share of one whose memory this process may take at most.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(cpus)
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = False
    torch.backends.cudnn.allow_tf32 = True
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        share = memory_share(gpus)
        if share < 1.0 or torch.cuda.is_initialized():  # an earlier stage may have set another
            torch.cuda.set_per_process_memory_fraction(share)


def memory_share(gpus: float | None) -> float:
    """Return the share of its device's memory that a stage may take.

    Ray counts shares of a device but does not enforce them; with a cap, the stage that takes more
    than its own runs out of memory, not its neighbour.

    >>> memory_share(0.5), memory_share(2), memory_share(None)
    (0.5, 1.0, 1.0)
    """
    return min(gpus, 1.0) if gpus else 1.0


def device_name() -> str:
    """Return the GPU's name, or "cpu"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
