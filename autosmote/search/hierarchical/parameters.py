"""Layout of the three policies' parameters in flat vectors, and saved policies.

Each level's parameters are one flat float32 vector: the learner updates it as one tensor, and the
actors read it from shared memory and take numpy views of it. No torch here: actors do not need it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from math import log, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.errors import UnreadableError, UserError, let_interrupts_through, shorten
from autosmote.space.base import N_LAMBDAS
from autosmote.space.hard_majority import SHARES

HIDDEN = 128
"""Width of both hidden layers of every network (Section 4.1: "128-128 MLP")."""
N_BINS = 10
"""A row's state says in which of ten bins its use count lies (Section 3.2)."""
BIN_WIDTH = 10
"""Counts 0-9 are the first bin, 90 and more the last (the authors' code uses 20)."""

LEVELS = ("cross", "instance", "low")

LEFT_OUT = SHARES
"""What the level "under" decides between (search.under_sampling)."""

MAX_LOCATION = 5.0
SCALES = (0.1, 2.0)
INITIAL_SCALE = 1.65
"""A continuous lambda is 1 / (1 + exp(-z)) with z ~ N(mu, sigma): the logistic-normal distribution.

The network gives two numbers, and ``mu = 5 tanh(first / 5)``,
``sigma = 0.1 + 1.9 / (1 + exp(-second - SCALE_SHIFT))``, so that both are bounded whatever it
learns: a normal variate of numpy is at most 13.8, hence ``|z| < 33``, and lambda is above 0 and
below 1 in 64 bits without any clipping, and its density finite. Zeros give mu = 0 and
sigma = 1.65, where the density lies between 0.90 and 1.11 over [0.03, 0.97]: nearly uniform.
A Beta distribution could be uniform exactly; but it takes rejection sampling, whose draws change by
jumps, and the derivatives of the logarithm of the gamma function. This one is one normal variate,
the same in numpy and numba, and a few lines to differentiate."""
SCALE_SHIFT = log((INITIAL_SCALE - SCALES[0]) / (SCALES[1] - INITIAL_SCALE))

POLICIES_FILE = "policies.npz"
"""In a run's folder: the final parameters of its levels by name, each a flat float32 vector."""

Shapes = Mapping[str, tuple[int, ...]]


def policy_shapes(
    *,
    n_features: int,
    G1: int,
    G2: int,
    low_level_net: str = "paper",
    continuous: bool = False,
    flat: bool = False,
    under: bool = False,
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return names and shapes of each level's parameters, in the order of their decisions.

    A flat policy (Section 4.4) is the low level alone, which says itself when a row is done. The
    level "under" is an extension: how many majority rows to leave out; so is a low level of a
    continuous lambda.
    """
    sizes: dict[str, Any] = {
        "n_features": n_features, "G1": G1, "G2": G2, "low_level_net": low_level_net,
        "continuous": continuous,
    }  # fmt: skip
    first = {"under": _level_shapes("under", **sizes)} if under else {}
    if flat:
        low = {**_level_shapes("low", **sizes), "next": (HIDDEN,), "next_b": (1,)}
        return {**first, "low": low}
    return {**first, **{level: _level_shapes(level, **sizes) for level in LEVELS}}


def _level_shapes(
    level: str, *, n_features: int, G1: int, G2: int, low_level_net: str, continuous: bool
) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of one level's parameters; matrices map inputs to columns.

    The first layer's matrix is kept in the pieces that its input is made of (features, bin,
    neighbour's features, neighbour's bin, lambda): all of it but the features is one-hot, so that
    a piece's product is a look-up (docs/performance.md, fact 1). A continuous lambda is no
    input: an action is a slot, and "weight" a second head, of the two numbers for its distribution.
    """
    state = {"x": (n_features, HIDDEN), "bin": (N_BINS, HIDDEN)}
    layer2 = {"b1": (HIDDEN,), "w2": (HIDDEN, HIDDEN), "b2": (HIDDEN,)}
    if level != "low":
        n_actions = {"under": len(LEFT_OUT), "cross": G1 + 1, "instance": G2 + 1}[level]
        heads = {"policy": (HIDDEN, n_actions), "policy_b": (n_actions,)}
        return {**state, **layer2, **heads, "value": (HIDDEN,), "value_b": (1,)}
    body = {f"state_{name}": shape for name, shape in {**state, **layer2}.items()}
    value = {"value": (HIDDEN,), "value_b": (1,)}
    outputs: dict[str, tuple[int, ...]] = {"score": (HIDDEN,), "score_b": (1,)}
    action: dict[str, tuple[int, ...]] = {"slot_bin": (N_BINS, HIDDEN)}
    if continuous:
        outputs |= {"weight": (HIDDEN, 2), "weight_b": (2,)}
    else:
        action["lambda"] = (N_LAMBDAS, HIDDEN)
    action |= layer2
    if low_level_net == "joint":
        # The raw state joins the action's features; "state_*" is the value head's own body.
        action = {**state, "slot_x": (n_features, HIDDEN), **action}
    else:
        # The body's representation joins the action's features, as printed in Section 3.3.
        action = {"representation": (HIDDEN, HIDDEN), **action}
    return {**body, **value, **action, **outputs}


def fan_in(name: str, shapes: Shapes) -> int:
    """Return the number of inputs of a parameter's layer, for its initialisation."""
    if name.startswith("state_"):
        body = {key[6:]: shape for key, shape in shapes.items() if key.startswith("state_")}
        return fan_in(name[6:], body)
    if name.removesuffix("_b") in ("w2", "b2", "policy", "value", "score", "weight", "next"):
        return HIDDEN
    first = ("x", "bin", "slot_x", "slot_bin", "lambda", "representation")
    return sum(shapes[key][0] for key in first if key in shapes)


def n_parameters(shapes: Shapes) -> int:
    """Return the length of the flat vector."""
    return sum(prod(shape) for shape in shapes.values())


def split(flat: Any, shapes: Shapes) -> dict[str, Any]:
    """Return views of a flat numpy array or torch tensor, by name."""
    sizes = [prod(shape) for shape in shapes.values()]
    if isinstance(flat, np.ndarray):
        parts = np.split(flat, np.cumsum(sizes)[:-1])
    else:
        parts = flat.split(sizes)  # one backward node for all views
    return {
        name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def join(parameters: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join the flat vectors of all levels into one, in their order."""
    return np.concatenate(list(parameters.values()))


def split_levels(
    parameters: NDArray[np.float32], shapes: Mapping[str, Shapes]
) -> dict[str, NDArray[np.float32]]:
    """Return views of each level's flat vector in the joined one."""
    sizes = [n_parameters(of_level) for of_level in shapes.values()]
    return dict(zip(shapes, np.split(parameters, np.cumsum(sizes)[:-1]), strict=True))


def initial_parameters(shapes: Shapes, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw every layer uniformly from +-1/sqrt(inputs), torch's default for linear layers.

    Drawn with numpy, so that a seed starts from the same policies on every device.
    """
    parts = []
    for name, shape in shapes.items():
        bound = 1.0 / np.sqrt(fan_in(name, shapes))
        parts.append(rng.uniform(-bound, bound, prod(shape)).astype(np.float32))
    return np.concatenate(parts)


def read_policies(where: str | Path) -> dict[str, NDArray[np.float32]]:
    """Read each level's parameters as an earlier run saved them.

    Parameters
    ----------
    where : path
        The run's folder, or its file.

    Raises
    ------
    UnreadableError
        If there is none, or it is no such file.
    """
    path = Path(where)
    path = path / POLICIES_FILE if os.path.isdir(path) else path
    try:
        with np.load(path, allow_pickle=False) as saved:
            found = {level: saved[level] for level in saved.files}
    except FileNotFoundError:
        raise UnreadableError(
            f"search.init_from={shorten(str(where))}: there is no {shorten(path.name)}; give the "
            "folder of a run that was done with search.save_policies=true."
        ) from None
    except Exception as error:  # of a damaged archive: zlib's, zipfile's and many others
        let_interrupts_through(error)
        if isinstance(error, OSError) and error.strerror:
            raise UnreadableError(
                f"search.init_from={shorten(str(where))} cannot be read ({error.strerror}); check "
                "the file."
            ) from error
        found = {}
    if not found or not all(_is_vector(saved) for saved in found.values()):
        raise UnreadableError(
            f"search.init_from={shorten(str(where))} holds no saved policies, or is damaged; give "
            "the folder of a run that was done with search.save_policies=true."
        )
    if not all(np.isfinite(saved).all() for saved in found.values()):
        raise UnreadableError(
            f"search.init_from={shorten(str(where))} is damaged: not all of its numbers are "
            "finite; give the folder of another run."
        )
    return found


def _is_vector(saved: Any) -> bool:
    return isinstance(saved, np.ndarray) and saved.dtype == np.float32 and saved.ndim == 1


def check_policies(found: Mapping[str, NDArray[np.float32]], shapes: Mapping[str, Shapes]) -> None:
    """Raise UserError where saved policies are not those of such a search."""
    there = {level: len(parameters) for level, parameters in found.items()}
    here = {level: n_parameters(of_level) for level, of_level in shapes.items()}
    if there != here:
        sizes = (", ".join(f"{level} {n}" for level, n in sizes.items()) for sizes in (there, here))
        raise UserError(
            "The policies of search.init_from have {} parameters, but this search's {}; they fit "
            "searches on as many features with the same G1, G2, low_level_net, lambda_head "
            "and kind of ablation.".format(*sizes)
        )


def policies_digest(found: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the SHA-256 of the numbers of policies; the file's bytes hold the time."""
    digest = hashlib.sha256()
    for level in sorted(found):
        digest.update(f"{level} {len(found[level])}\n".encode())
        digest.update(np.ascontiguousarray(found[level], dtype="<f4").tobytes())
    return digest.hexdigest()
