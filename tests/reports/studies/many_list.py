"""A made-up list of many datasets: ten families, the first of three datasets, the others of one."""

from autosmote.config.many import COLUMNS

FAMILY = {f"d{i}": f"f{max(0, i - 2)}" for i in range(12)}
"""Of each dataset."""


def write_list(path, half="decision"):
    """Write the list: minority rows 20, 30, ..., 130, ratio 5, 10 features, overlap 0, 0.08, ..."""
    lines = [",".join(COLUMNS)]
    for i, (dataset, family) in enumerate(FAMILY.items()):
        minority = 20 + 10 * i
        lines.append(
            f"{dataset},common,{family},{half},{6 * minority},{minority},5,10,0,0,{0.08 * i:.2f}"
        )
    path.write_text("\n".join(lines) + "\n")
