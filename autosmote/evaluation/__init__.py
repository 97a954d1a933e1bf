"""From a split, a sampler and a classifier to scores; one look at the test part."""
