"""Adam over one flat vector: torch's to the bit, without what torch's optimizers import.

torch.optim loads torch._dynamo at its first use, which takes longer than a short search.
"""

from __future__ import annotations

import torch

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Adam with torch's defaults, but for the learning rate; updates `flat` in place."""

    def __init__(self, flat: torch.nn.Parameter, learning_rate: float) -> None:
        self._flat, self._learning_rate = flat, learning_rate
        self._mean = torch.zeros_like(flat)
        self._square = torch.zeros_like(flat)
        self._steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters by their gradient."""
        gradient = self._flat.grad
        assert gradient is not None
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        root_of_correction = (1 - _BETA_2**self._steps) ** 0.5
        scale = (self._square.sqrt() / root_of_correction).add_(_EPSILON)
        step_size = self._learning_rate / (1 - _BETA_1**self._steps)
        self._flat.addcdiv_(self._mean, scale, value=-step_size)
