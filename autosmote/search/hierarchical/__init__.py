"""The paper's hierarchical policies: episodes, networks, learner (Section 3)."""
