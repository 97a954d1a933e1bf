"""AutoSMOTE: learned over-sampling for imbalanced classification by hierarchical RL."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autosmote.own_table.comparison import compare as compare
    from autosmote.sampler.autosmote import AutoSMOTE as AutoSMOTE
    from autosmote.sampler.classifier import AutoSMOTEClassifier as AutoSMOTEClassifier
    from autosmote.sampler.encoding import tabular as tabular

__version__ = "0.2.0"
_PUBLIC = {
    "AutoSMOTE": "autosmote.sampler.autosmote",
    "AutoSMOTEClassifier": "autosmote.sampler.classifier",
    "compare": "autosmote.own_table.comparison",
    "tabular": "autosmote.sampler.encoding",
}
__all__ = ["AutoSMOTE", "AutoSMOTEClassifier", "compare", "tabular"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that the command's help need not wait for it."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
