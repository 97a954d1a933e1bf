"""Isolate a block of code from the global random generators."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np


@contextmanager
def isolated(seed: int, *, with_torch: bool = False) -> Iterator[None]:
    """Seed the global generators for a block and restore them afterwards.

    Some libraries draw from the global generators of numpy, `random` or torch without taking a
    seed. In the block, these draws depend on `seed` alone. The generators' states are restored
    even if the block raises.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range of numpy's legacy generator.
    with_torch : bool
        Include torch's generators (those of all GPUs too); imports torch.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with ExitStack() as stack:
        if with_torch:
            import torch

            gpus = list(range(torch.cuda.device_count()))
            stack.enter_context(torch.random.fork_rng(devices=gpus))
            torch.manual_seed(seed)
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
