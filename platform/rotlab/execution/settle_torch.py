"""Torch's share of a process made like a fresh one: generators, threads, flags, caches."""

import torch


def settle_torch(seed: int, cpus: int) -> None:
    """Put torch where every stage starts from.

    Args:
        seed: of all devices' global generators.
        cpus: threads to compute with.
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


def device_name() -> str:
    """Return the GPU's name, or "cpu"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
