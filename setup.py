"""Name the packages: conf/ lies beside them in a clone, and among them where it is installed.

All else is in pyproject.toml, which has no way to say this of one folder.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["autosmote*", "baselines*"]), "autosmote.conf"],
    package_dir={"autosmote.conf": "conf"},
    package_data={
        "autosmote.conf": ["*.yaml", "**/*.yaml"],
        "autosmote.config": ["*.csv"],
        "autosmote.reports.render": ["page.*"],
        "autosmote.search.class_aware": ["*.csv"],
    },
)
