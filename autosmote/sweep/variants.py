"""Variants of an experiment: some of its samplers run again with a setting changed.

They answer what would be if a decision had been another one. Each sampler of a variant is an arm,
"<sampler> [<variant>]", that stands beside the arm of the sampler's own name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from autosmote.config.groups import load_sampler, members
from autosmote.config.names import did_you_mean
from autosmote.config.schema import SamplerSettings
from autosmote.errors import UserError


@dataclass
class Variant:
    """A change of settings, and the samplers that are run with it."""

    samplers: list[str] = field(default_factory=list)
    """Samplers or groups of samplers."""
    without: list[str] = field(default_factory=list)
    """Members of these groups that are not run."""
    params: dict[str, Any] = field(default_factory=dict)
    """Arguments of each of these samplers."""
    search: dict[str, Any] = field(default_factory=dict)
    preprocess: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    """Settings that differ from those of the sweep."""
    clfs: dict[str, str] = field(default_factory=dict)
    """Classifiers that are replaced, as in {adaboost: adaboost_samme_r}, and by what. With any, the
    others are not run. The plan keeps the name of the one that is replaced."""

    def replaced(self, clf: str) -> str:
        """Return the name of the classifier that another one stands for."""
        return next((base for base, other in self.clfs.items() if other == clf), clf)


def expand_samplers(names: list[str]) -> list[SamplerSettings]:
    """Return samplers and the members of groups.

    Raises
    ------
    UserError
        If one does not exist.
    """
    found = []
    for name in names:
        sampler = load_sampler(name)
        found += members(sampler) if sampler.kind == "group" else [sampler]
    return found


def variant_samplers(variants: dict[str, Variant]) -> list[tuple[str, str, SamplerSettings]]:
    """Return label, variant and sampler of each arm that is a variant's.

    Raises
    ------
    UserError
        If a sampler does not exist, or one that is left out is none of the variant's.
    """
    found = []
    for name, variant in variants.items():
        samplers = expand_samplers(variant.samplers)
        known = [sampler.name for sampler in samplers]
        for left_out in variant.without:
            if left_out not in known:
                raise UserError(
                    f"The variant '{name}' leaves out '{left_out}', which it does not have"
                    f"{did_you_mean(left_out, known)}."
                )
        for sampler in samplers:
            if sampler.name not in variant.without:
                changed = replace(sampler, params=sampler.params | variant.params)
                found.append((f"{sampler.name} [{name}]", name, changed))
    return found


def by_label(variants: dict[str, Variant]) -> dict[str, Variant]:
    """Return the variants by the labels of their arms."""
    return {label: variants[name] for label, name, _ in variant_samplers(variants)}
