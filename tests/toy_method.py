"""A method of the search loop in one module: a bandit over the copies of each minority row."""

import numpy as np

from autosmote.search.candidates import InterpolatedSet
from autosmote.search.method import Generator, Learner, Method, Proposal
from autosmote.search.space_reward import SpaceReward


class Bandit(Method):
    """Learns a preference for each number of copies, 0 to `most`."""

    def __init__(self, problem, most=4, step=2.0):
        self.problem, self.seed, self.most, self.step = problem, problem.seed, most, step

    def initial_parameters(self):
        return np.zeros(self.most + 1, dtype=np.float32)

    def named(self, parameters):
        return {"preferences": parameters.copy()}

    def synthetic_rows(self, sample_set):
        return self.problem.space.rows(sample_set.samples)

    def make_generator(self):
        return BanditGenerator(self.problem)

    def make_learner(self, parameters):
        return BanditLearner(parameters, self.step)


class BanditGenerator(Generator):
    def __init__(self, problem):
        self.space = problem.space
        self.reward = SpaceReward(problem)
        self.scorer_name = self.reward.name

    def load(self, parameters):
        self.probabilities = _softmax(parameters)

    def propose(self, n, rng):
        copies = int(rng.choice(len(self.probabilities), p=self.probabilities))
        samples = self.space.no_samples()
        samples[: self.space.n_rows] = copies  # the pool begins with the rows themselves
        row_counts = np.full(self.space.n_rows, copies, dtype=np.int32)
        n_synthetic = copies * self.space.n_rows
        return Proposal(InterpolatedSet(samples, row_counts), n_synthetic, steps=copies)

    def score(self, proposal):
        return self.reward.score(proposal.sample_set)


class BanditLearner(Learner):
    def __init__(self, parameters, step):
        self._preferences, self._step = parameters.astype(float), step
        self._mean, self._n = 0.0, 0

    def learn(self, proposal, score):
        gain = score - self._mean
        self._n += 1
        self._mean += gain / self._n
        chosen = np.arange(len(self._preferences)) == proposal.steps
        self._preferences += self._step * gain * (chosen - _softmax(self._preferences))

    def parameters(self):
        return self._preferences.astype(np.float32)


def _softmax(x):
    weights = np.exp(np.asarray(x, dtype=float) - np.max(x))
    return weights / weights.sum()
