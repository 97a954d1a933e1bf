"""Overall ranks with and without the fallback, on both tests; arms beside change no rank."""

import pandas as pd
from made_up_scores import give_scores

from autosmote.reports import names
from autosmote.reports.report import build_report, write_tables
from autosmote.reports.studies.countings import FALLBACK, PAPER

ARMS = ["none", "smote", "svmsmote", "autosmote"]
SMALL = {"arms": ARMS, "datasets": ["phoneme", "mozilla4"], "irs": [20, 50], "seeds": 2}


def countings(tmp_path, experiment="table2"):
    write_tables(build_report(tmp_path, experiment, "paper"))
    folder = tmp_path / experiment / "tables" / "paper"
    found = pd.read_csv(folder / f"{experiment}_countings.csv", keep_default_na=False)
    return found.query("metric == 'mcc'").set_index(["counting", "test", "arm"]).sort_index()


def findings(tmp_path, experiment="table2"):
    return " ".join(build_report(tmp_path, experiment, "paper").findings)


def test_fallback_gives_rivals_the_plain_classifier_where_validation_says_so(make_sweep, tmp_path):
    """SMOTE loses on all parts, and says so on validation: with the fallback it ties with none."""
    gains = {"smote": -0.1, "svmsmote": 0.1, "autosmote": 0.2}
    make_sweep(**SMALL, extended=True, change=give_scores(gains))
    found = countings(tmp_path)
    for test in ("test", "extended"):
        paper, fallback = (found.loc[counting, test]["rank"] for counting in (PAPER, FALLBACK))
        assert paper.to_dict() == {"autosmote": 1, "svmsmote": 2, "none": 3, "smote": 4}
        assert fallback.to_dict() == {"autosmote": 1, "svmsmote": 2, "none": 3.5, "smote": 3.5}
    shares = found.loc[FALLBACK, "test"]["fell_back"]
    assert (shares["smote"], shares["svmsmote"], shares["none"]) == (1, 0, 1)
    assert (found.loc[PAPER]["fell_back"] == 0).all()


def test_fallback_takes_the_plain_classifier_where_validation_ties(make_sweep, tmp_path):
    def tie(record):
        record = give_scores({"smote": 0.1, "autosmote": 0.2})(record)
        if record["sampler"] == "smote":
            record["scores"]["validation"] = dict(record["reference"]["validation"])
        return record

    make_sweep(**SMALL, change=tie)
    found = countings(tmp_path)
    assert found.loc[FALLBACK, "test", "smote"]["fell_back"] == 1
    ranks = found.loc[FALLBACK, "test"]["rank"]
    assert ranks["smote"] == ranks["none"] > found.loc[PAPER, "test", "smote"]["rank"]
    assert "extended" not in set(found.index.get_level_values("test"))


def test_first_in_all_countings_agrees_with_the_paper(make_sweep, tmp_path):
    make_sweep(**SMALL, extended=True, change=give_scores({"autosmote": 0.2, "smote": 0.1}))
    text = findings(tmp_path)
    assert "MCC, AutoSMOTE's overall rank (the paper has 5.37): counted as in the paper on" in text
    assert "on the test part: number 1 of 4 by 1.00 [1.00, 1.00] over 16 configurations" in text
    assert "before SMOTE with 2.00" in text and "which the interval holds" not in text
    assert "It is first in all 4 countings, which agrees with the paper." in text
    assert "contradicts" not in text


def test_first_in_none_of_the_countings_contradicts_the_paper(make_sweep, tmp_path):
    make_sweep(**SMALL, extended=True, change=give_scores({"svmsmote": 0.2, "autosmote": 0.1}))
    text = findings(tmp_path)
    assert "number 2 of 4 by 2.00 [2.00, 2.00] over 16 configurations, behind SVMSMOTE" in text
    assert "It is first in none of the 4 countings, which contradicts the paper." in text


def test_first_on_one_test_alone_says_on_which_it_is_contradicted(make_sweep, tmp_path):
    gains = {"autosmote": 0.2, "svmsmote": 0.1}
    turned = {"autosmote": 0.1, "svmsmote": 0.2}
    make_sweep(**SMALL, extended=True, change=give_scores(gains, extended=turned))
    text = findings(tmp_path)
    assert (
        "It is first counted as in the paper on the test part and counted with the fallback for "
        "all on the test part, which agrees with the paper; it is not first counted as in the "
        "paper on the extended test and counted with the fallback for all on the extended test, "
        "which contradicts the paper."
    ) in text


def test_level_with_another_arm_is_said(make_sweep, tmp_path):
    def equal(record):
        record = give_scores({"autosmote": 0.1, "smote": 0.1})(record)
        for metric in names.METRICS if record["sampler"] in ("smote", "autosmote") else ():
            record["scores"]["test"][metric] = record["reference"]["test"][metric] + 0.1
        return record

    make_sweep(**SMALL, change=equal)
    assert "over 16 configurations, level with SMOTE" in findings(tmp_path)


def test_too_few_configurations_have_no_interval(make_sweep, tmp_path):
    few = SMALL | {"datasets": ["phoneme"], "irs": [20]}
    make_sweep(**few, change=give_scores({"autosmote": 0.2}))
    assert "number 1 of 4 by 1.00 over 4 configurations, before" in findings(tmp_path)
    assert "(too few configurations for an interval)" in findings(tmp_path)
    assert (countings(tmp_path)["rank_low"] == "").all()


def test_arms_beside_are_ranked_alone_and_change_no_rank(make_sweep, tmp_path):
    gains = {"smote": 0.05, "svmsmote": 0.1, "autosmote": 0.15, "smote_search": 0.12}
    gains["randomsearch"] = 0.2
    make_sweep(**SMALL, extended=True, change=give_scores(gains))
    alone = countings(tmp_path)["rank"]
    beside = ["smote_search", "randomsearch"]
    make_sweep(**SMALL, beside=beside, extended=True, change=give_scores(gains))
    found = countings(tmp_path)
    together = found["rank"]
    pd.testing.assert_series_equal(together[alone.index], alone)
    of_paper = found.loc[PAPER, "test"]
    assert of_paper.loc[beside, "rank"].to_dict() == {"smote_search": 2, "randomsearch": 1}
    assert of_paper.loc[beside, "place"].to_dict() == {"smote_search": 2, "randomsearch": 1}
    text = findings(tmp_path)
    assert "number 1 of 4 by 1.00" in text
    assert (
        "MCC, counted as in the paper on the extended test, ranked each alone among the 4: the "
        "arms with as many classifiers are: Random search in its space number 1 by 1.00 and SMOTE "
        "search number 2 by 2.00."
    ) in text


def test_table2_shows_arms_beside_in_a_block_below(make_sweep, tmp_path):
    gains = {"smote": 0.05, "svmsmote": 0.1, "autosmote": 0.15, "smote_search": 0.12}
    beside = ["smote_search", "randomsearch"]
    make_sweep(**SMALL, beside=beside, extended=True, change=give_scores(gains))
    (table, *_) = build_report(tmp_path, "table2", "paper").tables
    assert [row[1].text for row in table.rows] == [names.arm(arm) for arm in ARMS]
    below = [[cell.text for cell in row] for row in table.footer]
    assert [row[:2] for row in below] == [
        ["With as many classifiers", "Random search in its space‡"],
        ["", "SMOTE search‡"],
        ["", "Spearman's ρ with the paper"],
    ]
    # Overall on both tests, two datasets, by two metrics; AutoSMOTE is better, it the second.
    assert below[1][2:-1] == ["2.00▲"] * 8
    assert any(note.startswith("‡: trains as many classifiers") for note in table.notes)
    marked = table.data.set_index("arm")["beside"]
    assert set(marked[marked].index) == set(beside)


def test_table3_is_counted_and_table4_is_not(make_sweep, tmp_path):
    of_table3 = SMALL | {"arms": ["none", "sv_ccr", "autosmote"]}
    make_sweep("table3", **of_table3, change=give_scores({"autosmote": 0.1}))
    make_sweep("table4", arms=["flat", "autosmote"], datasets=["mozilla4"], seeds=1)
    of3, of4 = (build_report(tmp_path, name, "paper") for name in ("table3", "table4"))
    assert "table3_countings" in [table.name for table in of3.tables]
    assert not [table.name for table in of4.tables if "countings" in table.name]
    assert countings(tmp_path, "table3").loc[PAPER, "test", "autosmote"]["rank"] == 1
