"""Every option of conf/ composes and means what it says."""

from dataclasses import fields, replace

import pytest
from composing import compose_run
from table2 import TABLE2

from autosmote.config.groups import load_sampler, members
from autosmote.config.names import CONF_DIR, GROUPS, available
from autosmote.config.schema import Config, validate
from baselines.variants_registry import VARIANTS


@pytest.mark.parametrize(
    ("group", "option"), [(group, option) for group in GROUPS for option in available(group)]
)
def test_every_option_composes(group, option):
    config = compose_run(f"{group}={option}")
    validate(config)
    if group != "search":
        assert getattr(config, group).name == option


def test_defaults():
    config = compose_run()
    names = (config.dataset.name, config.clf.name, config.sampler.name, config.metric, config.seed)
    assert names == ("toy", "dt", "autosmote", "macro_f1", 0)
    assert config.ir is None
    assert config.preprocess.fit_on == "train"


def test_ir_follows_the_dataset_unless_given():
    assert compose_run("dataset=mozilla4").ir == 50
    assert compose_run("dataset=mozilla4", "ir=20").ir == 20
    assert compose_run("dataset=mozilla4", "ir=null").ir is None


def test_search_paper_is_the_papers_regime():
    search = compose_run("search=paper").search
    assert (search.actors, search.lag, search.iterations) == (40, 40, 1000)


def test_search_public_is_the_authors_regime():
    search = compose_run("search=public").search
    assert (search.low_level_net, search.bin_width, search.include_largest) == ("joint", 20, False)
    assert (search.chunks_per_update, search.value_cost, search.lag) == (8, 0.25, 20)
    chunk = (search.buffer_cross, search.buffer_instance, search.buffer_low)
    assert [8 * steps for steps in chunk] == [16, 2400, 2400]
    search.check()


def test_samplers_are_those_of_table_2():
    rivals = {name.lower() for name in TABLE2}
    assert set(available("sampler")) >= rivals | {"none", "autosmote"}


def test_all_is_table_2():
    names = {sampler.name for sampler in members(load_sampler("all"))}
    assert names == {name.lower() for name in TABLE2} | {
        *("none", "ctgan", "tvae", "mesa", "autosmote")
    }
    assert len(names) == 25


def test_variants_are_the_85():
    first, *names = [sampler.name for sampler in members(load_sampler("variants"))]
    assert first == "none" and len(names) == 85
    assert set(names) == {variant.sampler for variant in VARIANTS.values() if variant.in_85}


def test_modern_holds_methods_and_a_search():
    found = members(load_sampler("modern"))
    assert {sampler.kind for sampler in found} == {"method", "search"}


@pytest.mark.parametrize("name", [n for n in available("sampler") if not n.startswith("sv_")])
def test_load_sampler_equals_hydra(name):
    assert load_sampler(name) == compose_run(f"sampler={name}").sampler


def test_params_of_a_group_reach_its_members():
    group = replace(load_sampler("all"), params={"smote": {"k_neighbors": 3}})
    params = {sampler.name: sampler.params for sampler in members(group)}
    assert params["smote"] == {"sampler": "imblearn.over_sampling.SMOTE", "k_neighbors": 3}
    assert "k_neighbors" not in params["svmsmote"]


def test_conf_holds_no_folder_that_is_a_key():
    # Hydra would take `ir=50` for the group conf/ir.
    groups = {path.name for path in CONF_DIR.iterdir() if path.is_dir()}
    assert not groups & {f.name for f in fields(Config) if f.name not in GROUPS}
