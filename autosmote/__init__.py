"""AutoSMOTE: learned over-sampling for imbalanced classification by hierarchical RL."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autosmote.sampler.autosmote import AutoSMOTE as AutoSMOTE

__version__ = "0.1.0"
__all__ = ["AutoSMOTE"]


def __getattr__(name: str) -> Any:
    """Import the sampler when it is asked for: the command's help must not wait for it."""
    if name == "AutoSMOTE":
        return import_module("autosmote.sampler.autosmote").AutoSMOTE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
