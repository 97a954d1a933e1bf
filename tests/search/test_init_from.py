"""Saved policies, and searches that start from them."""

import json

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.schema import SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.records.files import write_policies
from autosmote.run import main
from autosmote.sampler.class_search import run_search
from autosmote.search.hierarchical.episode import EpisodeGenerator
from autosmote.search.hierarchical.parameters import policies_digest, read_policies
from autosmote.space.pool import build_space
from autosmote.streams import Purpose, stream

FEW = ("search.iterations=8", "search.actors=0", "search.device=cpu", "search.G1=3", "search.G2=3")


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, seed=0, **settings):
    config = SearchConfig(**{"actors": 0, "device": "cpu", "G1": 6, "G2": 3, **settings})
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val,
        DecisionTreeClassifier(random_state=0),
        metric="macro_f1", ir=None, seed=seed, config=config,
    )  # fmt: skip


def test_the_first_episode_is_made_by_the_saved_policies(toy, tmp_path):
    learned = search(toy, iterations=40)
    write_policies(tmp_path, learned.parameters)
    generator = EpisodeGenerator(build_space(toy.X_train[toy.y_train == 1], 30), 6, 3)
    generator.load(np.concatenate([learned.parameters[name] for name in generator.shapes]))
    expected = generator.generate(stream(5, Purpose.ITERATION, 0))
    for where in (tmp_path, tmp_path / "policies.npz"):
        started = search(toy, seed=5, iterations=1, init_from=str(where))
        assert np.array_equal(started.best.sample_set.samples, expected.samples)
    assert not np.array_equal(
        search(toy, seed=5, iterations=1).best.sample_set.samples, expected.samples
    )


@pytest.mark.parametrize("settings", [{"G1": 5}, {"low_level_net": "joint"}, {"ablation": "flat"}])
def test_policies_of_another_search_do_not_fit(toy, tmp_path, settings):
    write_policies(tmp_path, search(toy, iterations=1).parameters)
    with pytest.raises(UserError, match="same G1, G2, low_level_net"):
        search(toy, iterations=1, init_from=str(tmp_path), **settings)


def test_init_from_without_policies_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no policies\.npz; .*save_policies=true"):
        read_policies(tmp_path)
    files = {"empty": b"", "text": b"hello", "zip": b"PK\x03\x04garbage"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "array.npy", np.zeros(3, np.float32))
    np.savez(tmp_path / "objects.npz", low=np.array([{}], dtype=object))
    np.savez(tmp_path / "counts.npz", counts=np.zeros(3, np.int32))
    for name in (*files, "array.npy", "objects.npz", "counts.npz"):
        with pytest.raises(UserError, match=f"{name} holds no saved policies"):
            read_policies(tmp_path / name)


def test_init_from_a_file_that_cannot_be_read_is_refused_by_the_cause(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(UserError, match=r"cannot be read \(Permission denied\); check the file"):
        read_policies(tmp_path)


def damaged_archives(whole: bytes, n: int):
    """Yield a whole archive with bytes changed, cut off or put in, each in another way."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        data = bytearray(whole)
        at = int(rng.integers(len(data)))
        # Most of the file is numbers, any of which is right: look at the headers as well.
        at = at if rng.random() < 0.3 else at % 300 if rng.random() < 0.5 else -1 - at % 300
        how = rng.integers(3)
        if how == 0:
            data[at] = int(rng.integers(256))
        elif how == 1:
            del data[at:]
        else:
            data[at:at] = rng.bytes(3)
        yield bytes(data)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_init_from_a_damaged_file_is_one_sentence(tmp_path, save):
    rng = np.random.default_rng(0)
    path = tmp_path / "policies.npz"
    save(path, low=rng.normal(size=300).astype("f4"), cross=rng.normal(size=40).astype("f4"))
    n_refused = 0
    for data in damaged_archives(path.read_bytes(), 250):
        path.write_bytes(data)
        try:
            found = read_policies(path)
        except UserError as error:
            n_refused += 1
            assert "\n" not in str(error) and "damaged" in str(error)
        else:
            assert all(np.isfinite(flat).all() for flat in found.values())
    assert n_refused > 100


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_init_from_numbers_that_are_not_finite_is_refused(toy, tmp_path, number):
    parameters = search(toy, iterations=1).parameters
    parameters["low"][7] = number
    write_policies(tmp_path, parameters)
    with pytest.raises(UserError, match="not all of its numbers are finite"):
        search(toy, iterations=1, init_from=str(tmp_path))


def test_runner_saves_policies_and_starts_from_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def runs():
        return {path.parent for path in tmp_path.glob("results/runs/*/record.json")}

    assert main([*FEW, "search.save_policies=true"]) == 0
    (first,) = runs()
    assert main([*FEW]) == 0  # what is left beside a record makes no other run
    assert runs() == {first}
    assert main([*FEW, "seed=1", f"search.init_from={first}"]) == 0
    (second,) = runs() - {first}
    text = (second / "record.json").read_text()
    digest = policies_digest(read_policies(first))
    assert json.loads(text)["config"]["search"]["init_from"] == digest
    assert str(tmp_path) not in text and first.name not in text
    # The same policies elsewhere are the same start.
    moved = tmp_path / "moved.npz"
    (first / "policies.npz").rename(moved)
    assert main([*FEW, "seed=1", f"search.init_from={moved}"]) == 0
    assert runs() == {first, second}
    # So are they as a setting that a sampler fixes.
    assert main([*FEW, "seed=1", f"+sampler.params.init_from={moved}"]) == 0
    (third,) = runs() - {first, second}
    text = (third / "record.json").read_text()
    assert digest in text and "moved" not in text
    assert main([*FEW, "seed=1", f"search.init_from={first}"]) == 2


def test_init_from_changes_the_identity_by_the_policies(tmp_path):
    from run_configs import CONFIG, changed, folder_of

    def folder(value, **settings):
        write_policies(tmp_path, {"low": np.full(4, value, np.float32)})
        config = changed(**settings) if settings else CONFIG
        return folder_of(config)

    by_search = {"search": SearchConfig(init_from=str(tmp_path))}
    sampler = SamplerSettings("a", kind="search", params={"init_from": str(tmp_path)})
    for settings in (by_search, {"sampler": sampler}):
        assert folder(1, **settings) == folder(1, **settings) != folder(2, **settings)
    assert folder(1, **by_search) != folder(1)
