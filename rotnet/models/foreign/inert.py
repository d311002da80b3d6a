"""Pickles of whole modules, read without running any code of theirs.

Unpickling imports and calls whatever a file names. `Unpickler` imports nothing: it knows the few
functions that make tensors out of stored numbers, and for every class or function of others puts an
`Inert` class, whose objects keep what they are given and do nothing. This module takes the place of
`pickle` in `torch.load`. PyTorch's own `weights_only` reading is no way in: it refuses modules that
were saved with their source, as those of PyTorch up to 1.5 are.
"""

import pickle
import sys
import tarfile
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any, NoReturn
from zipfile import ZipFile, is_zipfile

import torch
from torch import Tensor

# What networks and their settings hold of the standard library. As `Inert`, none of it is called.
HARMLESS = {
    "argparse.Namespace",
    "builtins.getattr",  # a method kept as an attribute
    "functools.partial",  # shortcut A of the released code
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
}


class Inert:
    """What stands for a file's classes, functions and their objects: keeps a state, does nothing.

    Attributes:
        state: what the file says an object consists of.
    """

    dump_patches = False  # PyTorch asks this of the class of a module saved with its source
    state: Any = None

    def __new__(cls, *_args: object, **_kwargs: object) -> "Inert":
        """Return one that has forgotten its arguments."""
        return object.__new__(cls)

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        """Take any arguments."""

    def __call__(self, *_args: object, **_kwargs: object) -> "Inert":
        """Return another: what a file's method would have made."""
        return Inert()

    def __setstate__(self, state: object) -> None:
        """Keep the state."""
        self.state = state

    def __setitem__(self, _key: object, _value: object) -> None:
        """Take what a dict of another class holds."""

    def extend(self, _items: object) -> None:
        """Take what a list of another class holds."""

    append = extend


class Function:
    """A function that a file may call and not change, though pickles can set attributes.

    Args:
        call: the function.
    """

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *args: object) -> object:
        """Call it."""
        return self._call(*args)

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        """Refuse."""
        raise UnpicklingError(f"it sets {name} of a function")

    def __setstate__(self, _state: object) -> NoReturn:
        """Refuse."""
        raise UnpicklingError("it changes a function")


def _tensor(storage: Any, offset: int, size: Any, stride: Any, *_: object) -> Tensor:  # noqa: ANN401
    return torch._utils._rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict())


def _data(tensor: Tensor, *_: object) -> Tensor:
    return tensor


FUNCTIONS = {
    "torch._utils._rebuild_tensor": Function(_tensor),
    "torch._utils._rebuild_tensor_v2": Function(_tensor),
    "torch._utils._rebuild_parameter": Function(_data),
    "torch.nn.parameter.Parameter": Function(_data),
}
# Types that no pickle can change, being written in C.
TYPES = {
    "collections.OrderedDict": OrderedDict,
    "builtins.set": set,
    "torch.Size": torch.Size,
    "torch.device": torch.device,
    **{str(dtype): dtype for dtype in (torch.float16, torch.float32, torch.float64, torch.int64)},
}


class Unpickler(pickle.Unpickler):
    """Imports nothing. PyTorch asks it for storages by their type itself."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  # pickle's signature
        """Return what a name stands for here.

        Raises:
            UnpicklingError: if it stands for something that no network is made of.
        """
        asked = f"{'builtins' if module == '__builtin__' else module}.{name}"
        if asked in FUNCTIONS or asked in TYPES:
            return FUNCTIONS.get(asked) or TYPES[asked]
        foreign = asked.partition(".")[0] not in {"torch", *sys.stdlib_module_names}
        if foreign or asked in HARMLESS or asked.startswith("torch.nn."):
            return type(name, (Inert,), {})
        raise UnpicklingError(f"it asks for {asked}, which no network is made of")


def load(file: IO[bytes], **options: Any) -> Any:  # noqa: ANN401  # pickle's signature
    """Return what the next pickle of a file holds."""
    return Unpickler(file, **options).load()


def load_inert(path: Path) -> Any:  # noqa: ANN401  # what a file holds is not known
    """Return what a file of torch.save holds, on the CPU, whole modules as `Inert` objects.

    Raises:
        UnpicklingError: if it asks for more than a network is made of, or is no such file.
        Exception: what else a damaged file makes of reading, as torch.load does.
    """
    if is_zipfile(path):
        with ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                raise UnpicklingError("it is a TorchScript program")
    elif tarfile.is_tarfile(path):
        raise UnpicklingError("it is an archive of PyTorch before 0.2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the classes have no source here
        return torch.load(
            path, map_location="cpu", weights_only=False, pickle_module=sys.modules[__name__]
        )


def is_module(found: object) -> bool:
    """Return whether an object of a file is a torch.nn.Module of any class."""
    return (
        isinstance(found, Inert) and isinstance(found.state, Mapping) and "_modules" in found.state
    )


def module_tensors(module: Inert, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield a pickled module's parameters and buffers by name, as its state_dict would."""
    state = module.state
    transient = state.get("_non_persistent_buffers_set", ())
    for group in ("_parameters", "_buffers"):
        for name, tensor in state.get(group, {}).items():
            if isinstance(tensor, Tensor) and name not in transient:
                yield prefix + name, tensor
    for name, child in state.get("_modules", {}).items():
        if is_module(child):
            yield from module_tensors(child, f"{prefix}{name}.")
