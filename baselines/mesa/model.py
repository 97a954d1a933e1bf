"""MESA as a method: learns its sampler on the validation part, is its own classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.mesa.ensemble import N_STATE, Ensemble, Probabilities, labels
from baselines.mesa.members import Member, Refits, fit_member

Policy = Callable[[NDArray[np.float64]], float]


class MESA:
    """Ensemble of balanced under-sampled members with a learned sampler (MESA, NeurIPS 2020).

    Every member is trained on all minority rows and as many majority rows. The majority rows are
    drawn with weights given by a number mu in [0, 1]: a normal density around mu of a row's error
    |y - p| under the ensemble so far. Soft actor-critic learns mu from histograms of the errors
    on the training and validation part; its reward is a member's gain in the metric on
    validation. The final ensemble predicts by the mean of its members' probabilities.

    Written from a description of the method. Departures from the original program:

    1. The final ensemble is grown with the policy's mean actions, not with sampled ones.
    2. Error histograms have fixed bins over [0, 1], not over the range of the errors at hand.
    3. The synthetic transitions that fill the memory at the start are those of
       `baselines.mesa.replay.prefill`, and end their episode.
    4. A critic's target includes the value of the next state everywhere but at an episode's end,
       as in the paper, and each end is marked; the original's mask is inverted.
    5. A classifier without probabilities (LinearSVC) gets them by Platt scaling (see
       `baselines.mesa.members`).
    6. Both critics are updated by one optimiser step on the sum of their losses, not one by one.

    The metric is the reported one; the original's default is average precision.

    Parameters
    ----------
    random_state : int
        Of everything random; no global generator is used.
    n_members : int
        Number of members of an ensemble, at least 2.
    environment_steps : int
        Least number of actions to learn from; learning ends with the episode that reaches it.
    random_steps : int
        Number of first actions, drawn uniformly without updates; later ones have an update each.
    batch_size : int
        Number of transitions per update.
    replay_capacity : int
        Number of transitions in the replay memory.
    synthetic_transitions : int, optional
        Number of synthetic transitions in the memory at the start (see
        `baselines.mesa.replay.prefill`); by default 999 for 1500 `environment_steps`, in
        proportion, a multiple of 3.
    sigma : float
        Standard deviation of the weights around mu.
    memory_bytes : int
        Limit on the precomputed neighbours of nearest-neighbour members.

    Attributes
    ----------
    members_ : list of Member
        The final ensemble.
    validation_score_ : float
        The metric on the validation part.
    """

    def __init__(
        self,
        *,
        random_state: int,
        n_members: int = 10,
        environment_steps: int = 1500,
        random_steps: int = 500,
        batch_size: int = 64,
        replay_capacity: int = 1000,
        synthetic_transitions: int | None = None,
        sigma: float = 0.2,
        memory_bytes: int = 1 << 28,
    ) -> None:
        if n_members < 2:
            raise ValueError(f"n_members={n_members}: an ensemble needs at least 2 members")
        self.random_state = random_state
        self.n_members = n_members
        self.environment_steps, self.random_steps = environment_steps, random_steps
        self.batch_size, self.replay_capacity = batch_size, replay_capacity
        if synthetic_transitions is None:
            synthetic_transitions = 3 * round(333 * environment_steps / 1500)
        self.synthetic_transitions, self.sigma = synthetic_transitions, sigma
        self.memory_bytes = memory_bytes

    def fit(
        self,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.int8],
        X_val: NDArray[np.float64],
        y_val: NDArray[np.int8],
        *,
        estimator: Any,
        metric: str,
    ) -> MESA:
        """Learn the sampler, then train the ensemble.

        Parameters
        ----------
        X_train, X_val : float64 ndarray of shape (n, D)
        y_train, y_val : int8 ndarray of shape (n,)
            1 for the minority class.
        estimator : scikit-learn classifier
            Unfitted; cloned for every member.
        metric : {"macro_f1", "mcc"}

        Raises
        ------
        UserError
            If there is no such metric.
        """
        from sklearn.base import clone

        rng = np.random.default_rng(self.random_state)
        estimator = clone(estimator)
        if "random_state" in (params := estimator.get_params()) and params["random_state"] is None:
            estimator.set_params(random_state=int(rng.integers(2**31)))  # not the global generator

        ensemble = Ensemble(
            self._probabilities(estimator, X_train, y_train, X_val),
            y_train,
            y_val,
            metric,
            n_members=self.n_members,
            sigma=self.sigma,
            rng=rng,
        )
        ensemble.grow(self._learn(ensemble, rng))
        self.validation_score_ = ensemble.score
        self.members_: list[Member] = [
            fit_member(estimator, X_train, y_train, rows) for rows in ensemble.members
        ]
        return self

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.int8]:
        """Return the labels of rows, shape (n,)."""
        total = np.zeros(len(X))
        for member in self.members_:
            total += member.probability(X)
        return labels(total / len(self.members_))

    def _probabilities(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.int8],
        X_val: NDArray[np.float64],
    ) -> Probabilities:
        """Return the fastest way to get the probabilities of this estimator's members."""
        from baselines.mesa import neighbours

        if neighbours.supports(estimator, y_train):
            k = int(estimator.n_neighbors)
            return neighbours.NeighbourVotes(k, X_train, y_train, X_val, self.memory_bytes)
        return Refits(estimator, X_train, y_train, X_val)

    def _learn(self, ensemble: Ensemble, rng: np.random.Generator) -> Policy:
        """Learn by growing ensembles; return the policy's mean action."""
        from baselines.mesa.replay import ReplayRing, prefill
        from baselines.mesa.sac import SoftActorCritic

        agent = SoftActorCritic(N_STATE, seed=int(rng.integers(2**63)))
        ring = ReplayRing(self.replay_capacity)
        prefill(ring, self.synthetic_transitions, rng)
        steps = 0
        while steps < self.environment_steps:
            state, full = ensemble.reset(), False
            while not full:
                random = steps < self.random_steps
                action = rng.uniform() if random else agent.sample_action(state)
                following, reward, full = ensemble.step(action)
                ring.put(state, action, reward, following, full)
                state = following
                steps += 1
                if not random:
                    agent.update(ring.sample(self.batch_size, rng))
        return agent.mean_action
