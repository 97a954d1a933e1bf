"""MESA as a method: it learns its sampler on the validation part and is its own classifier."""

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

    Every member is trained on all minority rows and as many majority rows. Which majority rows
    is decided by a number mu in [0, 1]: those whose error |y - p| under the ensemble so far is
    near mu, by a normal density. Soft actor-critic learns mu from the errors' histograms on
    training and validation part; its reward is what a member adds to the metric on validation.
    Then a new ensemble is grown by the policy's mean actions; it predicts by the mean of its
    members' probabilities.

    Written from a description of the method. It departs from the original program in three
    points. That one takes the value of the next state into the critic's target only where the
    episode *ends* (its mask is inverted); here, as its paper says, everywhere but there. Its
    default metric is average precision; here the one that is reported. And a classifier without
    probabilities is given them by a sigmoid (see `baselines.mesa.members`).

    Parameters
    ----------
    random_state : int
        Of everything random; no global generator is used.
    n_members : int
        Members of an ensemble, at least 2.
    environment_steps : int
        Actions to learn from, at least; learning ends with the episode that reaches them.
    random_steps : int
        First actions, drawn uniformly and without an update; then one update for each.
    batch_size : int
        Transitions per update.
    replay_capacity : int
        Transitions remembered.
    synthetic_transitions : int
        Made-up transitions in the memory at the start (see `baselines.mesa.replay.prefill`).
    sigma : float
        Standard deviation of the weights around mu.
    memory_bytes : int
        What nearest-neighbour members may precompute.

    Attributes
    ----------
    members_ : list of Member
        The final ensemble.
    validation_score_ : float
        Its metric on the validation part.
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
        synthetic_transitions: int = 999,
        sigma: float = 0.2,
        memory_bytes: int = 1 << 28,
    ) -> None:
        if n_members < 2:
            raise ValueError(f"n_members={n_members}: an ensemble needs at least 2 members")
        self.random_state = random_state
        self.n_members = n_members
        self.environment_steps, self.random_steps = environment_steps, random_steps
        self.batch_size, self.replay_capacity = batch_size, replay_capacity
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

        from baselines.mesa.sac import one_thread

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
        with one_thread():
            ensemble.grow(self._learn(ensemble, rng))
        self.validation_score_ = ensemble.score
        self.members_: list[Member] = [
            fit_member(estimator, X_train, y_train, rows) for rows in ensemble.members
        ]
        return self

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.int8]:
        """Labels of new rows."""
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
        from baselines.mesa import neighbours

        if neighbours.supports(estimator, y_train):
            k = int(estimator.n_neighbors)
            return neighbours.NeighbourVotes(k, X_train, y_train, X_val, self.memory_bytes)
        return Refits(estimator, X_train, y_train, X_val)

    def _learn(self, ensemble: Ensemble, rng: np.random.Generator) -> Policy:
        """Learn by growing ensembles; returns what was learned, without its exploration."""
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
