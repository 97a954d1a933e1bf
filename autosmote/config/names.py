"""Names of the options in conf/, and suggestions for names that are misspelt."""

from difflib import get_close_matches
from pathlib import Path

# The project is installed editable from a clone: conf/ lies beside the package.
CONF_DIR = Path(__file__).resolve().parents[2] / "conf"
GROUPS = ("dataset", "clf", "sampler", "search")


def available(group: str) -> list[str]:
    """Return the names of a group's options, e.g. of all samplers."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def did_you_mean(given: str, names: list[str]) -> str:
    """Return a suggestion in brackets, or nothing where no name is close."""
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
