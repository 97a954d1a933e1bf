"""Gains on many datasets: over families, by hand; claims, ranks, traits, figures."""

import numpy as np
import pandas as pd
import pytest
from many_sweeps import ARMS, BOTH, FAMILY, SINGLE, VOTE, change, grid, write_list

from autosmote.config import many
from autosmote.reports.report import TITLES, build_report, write_figures, write_tables
from autosmote.reports.statistics.ranks import rank
from autosmote.reports.studies.many.arms import EXPERIMENTS
from autosmote.reports.studies.many.ranking import compute_nemenyi


@pytest.fixture
def report(bench_reports, tmp_path, monkeypatch):
    """Make a sweep and return its report."""
    monkeypatch.setattr(many, "TABLE", tmp_path / "many.csv")

    def make(experiment="many", **settings):
        write_list(tmp_path / "many.csv", "decision" if experiment == "many" else "confirmation")
        small = {"arms": ARMS, "datasets": list(FAMILY), "irs": [None], "seeds": 2}
        small |= {"clfs": ["knn", "dt"], "change": change, "grid": grid}
        bench_reports.make_sweep(tmp_path, experiment, "quick", **(small | settings))
        return build_report(tmp_path, experiment, "quick")

    return make


def data(report, name):
    (table,) = [table for table in report.tables if table.name == name]
    return table.data


def test_gains_are_means_over_families_of_means_over_datasets(report):
    frame = data(report(), "many_gains")
    of = frame[frame["metric"] == "mcc"].set_index(["what", "arm", "group"])
    own = of.loc[("over no resampling", "class_aware crossfit", "overall")]
    # 0.02 + 0.004 x (1 + ... + 10) / 10; by datasets alike it would be 0.039.
    assert own["gain"] == pytest.approx(0.042)
    assert (own["families"], own["datasets"]) == (10, 12)
    assert 0.03 < own["gain_low"] < 0.042 < own["gain_high"] < 0.06
    vote = of.loc[("over no resampling", f"class_aware{VOTE}", "dt")]
    assert vote["gain"] == pytest.approx(0.052)
    assert (own["wins"], own["ties"], own["losses"]) == (10, 0, 0)


def test_failed_runs_count_as_the_arm_without_resampling(report):
    of = data(report(), "many_gains").set_index(["metric", "what", "arm", "group"])["gain"]
    weights = of.loc["mcc", "over no resampling", "weights crossfit"]
    assert weights["knn"] == pytest.approx(0.0)  # and not -0.03
    assert weights["dt"] == pytest.approx(0.01)
    assert weights["overall"] == pytest.approx(0.005)


def test_with_the_fallback_a_sampler_that_is_worse_on_the_folds_is_no_resampling(report):
    of = data(report(), "many_gains").set_index(["metric", "what", "arm", "group"])["gain"]
    arm = "adasyn crossfit"
    assert of["mcc", "over no resampling", arm, "overall"] == pytest.approx(-0.05)
    assert of["mcc", "with the fallback", arm, "overall"] == pytest.approx(0.0)
    assert of["mcc", "with the fallback", "class_aware crossfit", "overall"] == pytest.approx(0.042)
    # What has no score over folds stays.
    assert of["mcc", "with the fallback", "weights crossfit", "overall"] == pytest.approx(0.005)


def test_gains_over_smote_are_those_in_the_same_form(report):
    frame = data(report(), "many_over_smote")
    of = frame[frame["metric"] == "mcc"].set_index(["arm", "group"])
    for arm in ("class_aware crossfit", f"class_aware{VOTE}"):
        assert of.loc[(arm, "overall"), "gain"] == pytest.approx(0.022)
    assert of.loc[(f"adasyn{VOTE}", "overall"), "against"] == f"smote{VOTE}"
    assert "smote crossfit" not in of.index.get_level_values("arm")


def test_claims_are_supported_open_or_refuted_by_their_intervals(report):
    made = report("many_confirmation")
    texts = [text for text in made.findings if text.startswith("MCC: the confirmation half")]

    def of(claim):
        return [text for text in texts if claim in text]

    better = of("the class-aware search is better than SMOTE at equal budget")
    assert len(better) == 2 and all("half supports" in text for text in better)
    assert "Class-aware search, vote less SMOTE, vote" in better[1]
    assert "is +0.022 (95% interval +0.0" in better[0]
    assert "over 10 families, 12 datasets and 48 runs" in better[0]
    draws = of("learning is worth its classifiers: the class-aware search against as many random")
    assert draws and all("neither supports nor refutes" in text for text in draws)
    paper = of("learning is worth its classifiers: the paper's search")
    assert paper and all("half refutes" in text for text in paper)
    claims = data(made, "many_confirmation_claims")
    row = claims[(claims["question"] == "paper") & (claims["group"] == "overall")].iloc[0]
    assert row["gain"] == pytest.approx(-0.022) and row["losses"] == 10


def test_few_families_conclude_nothing(report):
    made = report(datasets=["d0", "d1", "d2", "d3"])
    claims = [text for text in made.findings if '"the class-aware search is better' in text]
    assert claims and all("has too few families" in text for text in claims)
    (table,) = [table for table in made.tables if table.name == "many_claims"]
    assert {row[2].text for row in table.rows} == {"too few families"}


def test_family_table_has_the_mean_of_each_family(report):
    frame = data(report(), "many_families")
    of = frame[frame["metric"] == "mcc"].set_index(["question", "form", "family"])
    for i in range(10):
        row = of.loc[("smote", "best set", f"f{i}")]
        assert row["gain"] == pytest.approx(0.004 * (i + 1))
        assert row["datasets"] == (3 if i == 0 else 1)


def test_ranks_are_averages_over_families_with_tests(report):
    frame = data(report(), "many_ranks")
    best = frame[(frame["metric"] == "mcc") & (frame["form"] == "best set")].set_index("arm")
    singles = [*SINGLE, "class_aware started 0"]
    assert set(best.index) == {f"{source} crossfit" for source in (*singles, *BOTH)}
    # In each family the two class-aware arms lead, then SMOTE and random search; ADASYN is last.
    assert best.loc["class_aware crossfit", "rank"] == pytest.approx(1.5)
    assert best.loc["smote crossfit", "rank"] == pytest.approx(3.5)
    assert best.loc["adasyn crossfit", "rank"] == pytest.approx(10)
    assert best["families"].unique().tolist() == [10]
    assert best.loc["smote crossfit", "p_holm"] == pytest.approx(9 * 2 * 0.5**10)
    assert pd.isna(best.loc["class_aware crossfit", "p_holm"])
    assert best["critical_difference"].unique() == pytest.approx(compute_nemenyi(10, 10))
    # Of 45 pairs of arms none is significant over ten families: the least p is 45 x 2 x 0.5^10.
    assert set(best["cliques"]) == {"1"}


def test_critical_difference_is_nemenyis():
    # Demsar (2006), Table 5: q = 2.569 for four classifiers at 0.05; his example has 14 datasets.
    assert compute_nemenyi(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
    assert rank(np.array([0.9, 0.5, 0.5])).tolist() == [1, 2.5, 2.5]


def test_gains_against_a_trait_are_those_of_the_datasets_in_its_bin(report):
    frame = data(report(), "many_when")
    of = frame[frame["metric"] == "mcc"].set_index(["trait", "bin", "question", "form"])
    few = of.loc[("minority", "below 40", "smote", "vote")]
    # d0 and d1, of f0.
    assert (few["families"], few["datasets"]) == (1, 2)
    assert few["gain"] == pytest.approx(0.004) and np.isnan(few["gain_low"])
    more = of.loc[("minority", "40 to 100", "smote", "vote")]
    # d2 of f0, and d3 to d7 of f1 to f5.
    assert (more["families"], more["datasets"]) == (6, 6)
    assert more["gain"] == pytest.approx(0.004 * np.mean([1, 2, 3, 4, 5, 6]))
    assert more["gain_low"] > 0
    whole = of.loc[("ir", "3 to 9", "threshold", "best set")]
    assert whole["gain"] == pytest.approx(0.015) and whole["families"] == 10
    assert of.loc[("classifier", "KNN", "beyond", "vote")]["gain"] == pytest.approx(0.052 - 0.015)


def test_datasets_outside_the_list_are_families_without_traits(report):
    made = report(datasets=[*FAMILY, "toy"])
    own = data(made, "many_gains").query("arm == 'smote crossfit' and group == 'overall'")
    assert own["families"].unique().tolist() == [11]
    traits = data(made, "many_when").query("trait == 'ir'")
    assert traits["families"].unique().tolist() == [10]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_all_files_are_written_and_figures_are_the_same_each_time(report, experiment):
    made = report(experiment)
    assert made.title.startswith(TITLES[experiment])
    written = {path.name for path in write_tables(made)}
    whats = ("gains", "over_smote", "claims", "families", "ranks", "when", "costs")
    assert {f"{experiment}_{what}.md" for what in whats} <= written
    first = {path.name: path.read_bytes() for path in write_figures(made)}
    again = {path.name: path.read_bytes() for path in write_figures(made)}
    assert first == again and {f"{experiment}_gains.svg", f"{experiment}_when.svg"} <= set(first)


def test_runs_that_are_missing_leave_the_others(report):
    def fewer(record):
        is_missing = record["dataset"] == "d5" and record["sampler"].startswith("smote")
        return None if is_missing else change(record)

    made = report(change=fewer)
    claims = data(made, "many_claims").query("question == 'smote' and group == 'overall'")
    assert claims["families"].unique().tolist() == [9]
    assert any("have no score" in text for text in made.findings)


@pytest.mark.parametrize("lacking", ["none", "class_aware", "smote"])
def test_arms_without_any_run_are_left_off_the_figures(report, lacking):
    def without(record):
        return None if grid(record["sampler"])["source"] == lacking else change(record)

    names = {path.name for path in write_figures(report(change=without))}
    assert "many_when.svg" in names
    assert ("many_gains.svg" in names) == (lacking != "none")


def test_a_vote_is_not_compared_with_a_best_set(report):
    kept = [arm for arm in ARMS if arm != f"class_aware random{VOTE}"]
    claims = data(report(arms=kept), "many_claims").query("question == 'draws'")
    assert claims["form"].unique().tolist() == ["best set"]
    # What has one classifier stands beside both.
    claims = data(report(arms=kept), "many_claims").query("question == 'beyond'")
    assert claims["form"].unique().tolist() == ["best set", "vote"]
