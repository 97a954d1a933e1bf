"""Records: nothing private inside, and the versions behind them."""

import json
import os
import subprocess
from pathlib import Path

from run_configs import FINGERPRINT, changed

from autosmote.config.schema import ClassifierSettings, DatasetSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.records import provenance
from autosmote.records.identity import identity
from autosmote.records.record import make_record


def test_a_record_names_no_folder_user_or_host():
    config = changed(
        results_dir="/home/someone/results",
        data_dir="/home/someone/data",
        dataset=DatasetSettings("file", None, "/home/someone/secret/my.csv", "label"),
        sampler=SamplerSettings("none", kind="none"),
        search=SearchConfig(init_from="/home/someone/policies.npz"),  # for others of the sweep
    )
    record = make_record(
        config,
        identity(config, None, FINGERPRINT),
        status="failed",
        data_source="my.csv",
        error="ValueError",
    )
    text = json.dumps(record)
    for private in ("someone", "/home", os.getcwd(), os.path.expanduser("~") + "/"):
        assert private not in text
    assert record["config"]["dataset"]["path"] == "my.csv"
    assert not set(record["config"]) & {"results_dir", "data_dir"}
    assert record["versions"]["scikit-learn"] and record["versions"]["torch"]


def test_versions_name_the_package_of_a_target():
    config = changed(clf=ClassifierSettings("mine", "hypothesis.Thing", {}))
    assert "hypothesis" in provenance.versions(config)
    wrapped = SamplerSettings("mine", "somewhere.X", params={"sampler": "hypothesis.Thing"})
    assert "hypothesis" in provenance.versions(changed(sampler=wrapped))


def test_git_revision():
    root = Path(provenance.__file__).parents[2]
    git = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
    )
    expected = git.stdout.strip() if git.returncode == 0 else None
    provenance.git_revision.cache_clear()  # a commit may have been made while the tests ran
    found = provenance.git_revision()
    assert (found and found.removesuffix("-dirty")) == expected
