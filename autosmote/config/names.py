"""Names of the options in conf/, and suggestions for names that are misspelt."""

from difflib import get_close_matches
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# In a clone conf/ lies beside the package, and where it is installed in the package (setup.py).
CONF_DIR = next(
    folder for folder in (_PACKAGE / "conf", _PACKAGE.parent / "conf")
    if (folder / "config.yaml").is_file() or folder.parent != _PACKAGE
)  # fmt: skip
GROUPS = ("dataset", "clf", "sampler", "search")


def available(group: str) -> list[str]:
    """Return the names of a group's options, e.g. of all samplers."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def did_you_mean(given: str, names: list[str]) -> str:
    """Return a suggestion in brackets, or nothing where no name is close."""
    by_lower = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_lower, n=1)
    return f" (did you mean {by_lower[close[0]]}?)" if close else ""
