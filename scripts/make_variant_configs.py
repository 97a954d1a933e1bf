"""Write conf/sampler/sv_*.yaml from the registry of SMOTE variants, where Hydra finds them.

Run it after a change to `baselines/variants_registry.py`; a test fails when it was not run.
"""

from __future__ import annotations

from pathlib import Path

from baselines.variants_registry import VARIANTS, Variant

HEAD = "# Made by scripts/make_variant_configs.py.\n"
FOLDER = Path(__file__).resolve().parent.parent / "conf" / "sampler"


def config(variant: Variant) -> str:
    """Return the text of a variant's configuration."""
    trouble = f"# Known: {variant.trouble}.\n" if variant.trouble else ""
    return (
        f"{HEAD}{trouble}"
        f"name: {variant.sampler}\n"
        "kind: resampler\n"
        "_target_: baselines.variants.SmoteVariant\n"
        f"takes_ratio: {str(variant.takes_ratio).lower()}\n"
        "params:\n"
        f"  variant: {variant.name}\n"
    )


def configs() -> dict[str, str]:
    """Return the texts of all files by their names."""
    return {f"{variant.sampler}.yaml": config(variant) for variant in VARIANTS.values()}


def main() -> None:
    """Write the files, and remove those of variants that left the registry."""
    for path in FOLDER.glob("sv_*.yaml"):
        if path.name not in configs():
            path.unlink()
    for name, text in configs().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(configs())} files in conf/sampler")


if __name__ == "__main__":
    main()
