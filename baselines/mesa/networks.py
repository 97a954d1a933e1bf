"""Small perceptrons side by side, their gradients, and Adam, in numpy.

For layers of at most 50 units and batches of 64, a call of a tensor library takes several times as
long as the arithmetic in it. So networks of one shape are computed together, and all their
parameters are one vector: an optimiser's step is a few operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Perceptrons:
    """Fully connected networks of one shape, with ReLU between the layers.

    Parameters
    ----------
    n : int
        Number of networks.
    sizes : sequence of int
        Numbers of inputs, of each hidden layer's units, and of outputs.
    rng : numpy Generator
        Draws the initial weights, uniform by Xavier; biases are 0.

    Attributes
    ----------
    parameters : ndarray
        All parameters; `layers` are views of it.
    layers : list of (weights, biases)
        Of shape (n, inputs, outputs) and (n, 1, outputs).
    """

    def __init__(self, n: int, sizes: Sequence[int], rng: np.random.Generator) -> None:
        self._shapes = [
            shape for n_in, n_out in pairwise(sizes) for shape in ((n, n_in, n_out), (n, 1, n_out))
        ]
        self.parameters = np.zeros(sum(map(int, map(np.prod, self._shapes))))
        self._gradient = np.zeros_like(self.parameters)
        self.layers = self._views(self.parameters)
        self._slopes = self._views(self._gradient)
        for weights, _ in self.layers:
            bound = np.sqrt(6 / sum(weights.shape[1:]))
            weights[:] = rng.uniform(-bound, bound, weights.shape)

    def forward(self, inputs: Array) -> list[Array]:
        """Return the inputs and each layer's output; the last has shape (n, rows, outputs).

        Parameters
        ----------
        inputs : ndarray of shape (rows, inputs)
        """
        found = [inputs]
        for weights, biases in self.layers:
            if len(found) > 1:
                np.maximum(found[-1], 0, out=found[-1])
            found.append(found[-1] @ weights + biases)
        return found

    def gradient(self, passed: list[Array], slope: Array) -> Array:
        """Return the gradient by the parameters; the next call overwrites it.

        Parameters
        ----------
        passed : list of ndarray
            What `forward` returned.
        slope : ndarray of shape (n, rows, outputs)
            The gradient by the outputs.
        """
        for at in range(len(self.layers) - 1, -1, -1):
            weights, biases = self._slopes[at]
            np.matmul(passed[at].swapaxes(-1, -2), slope, out=weights)
            slope.sum(-2, keepdims=True, out=biases)
            if at:
                slope = self._before(at, passed, slope)
        return self._gradient

    def input_gradient(self, passed: list[Array], slope: Array) -> Array:
        """Return the gradient by the inputs, summed over the networks; see `gradient`."""
        for at in range(len(self.layers) - 1, 0, -1):
            slope = self._before(at, passed, slope)
        return (slope @ self.layers[0][0].swapaxes(-1, -2)).sum(0)

    def _before(self, at: int, passed: list[Array], slope: Array) -> Array:
        """Return the gradient by the output of the layer before one, before its ReLU."""
        return (slope @ self.layers[at][0].swapaxes(-1, -2)) * (passed[at] > 0)

    def _views(self, vector: Array) -> list[tuple[Array, Array]]:
        """Return the parts of a vector as weights and biases."""
        ends = np.cumsum([np.prod(shape) for shape in self._shapes])[:-1]
        parts = [
            part.reshape(shape)
            for part, shape in zip(np.split(vector, ends), self._shapes, strict=True)
        ]
        return list(zip(parts[::2], parts[1::2], strict=True))


class Adam:
    """Adam (Kingma and Ba, 2015) with its usual constants.

    Parameters
    ----------
    parameters : ndarray
        Changed in place.
    rate : float
    """

    def __init__(self, parameters: Array, rate: float) -> None:
        self._parameters, self.rate = parameters, rate
        self._mean, self._square = np.zeros_like(parameters), np.zeros_like(parameters)
        self._steps = 0

    def step(self, gradient: Array) -> None:
        """Make one step against a gradient."""
        self._steps += 1
        self._mean += 0.1 * (gradient - self._mean)
        self._square += 0.001 * (gradient * gradient - self._square)
        scale = np.sqrt(self._square / (1 - 0.999**self._steps)) + 1e-8
        self._parameters -= self.rate / (1 - 0.9**self._steps) * self._mean / scale
