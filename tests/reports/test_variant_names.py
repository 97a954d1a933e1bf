"""Each SMOTE variant has a printed name of its own; keys and the paper's spelling stay."""

from autosmote.reports import names
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.variant_names import VARIANT_NAMES
from baselines.variants_registry import VARIANTS


def test_every_variant_has_a_name_of_its_own():
    assert {f"sv_{name}" for name in VARIANT_NAMES} == {v.sampler for v in VARIANTS.values()}
    assert len(set(VARIANT_NAMES.values())) == len(VARIANT_NAMES)


def test_names_have_the_letters_of_the_class_or_are_those_of_the_authors():
    """A name differs from its class in signs and capitals alone, save for those listed."""
    other = {
        *("de_oversampling", "gazzah", "lee", "stefanowski", "smote_tomeklinks"),
        *(f"polynom_fit_smote_{kind}" for kind in ("bus", "mesh", "poly", "star")),
    }

    def letters(text):
        return "".join(sign for sign in text.lower() if sign.isalnum())

    assert {k for k, v in VARIANT_NAMES.items() if letters(k) != letters(v)} <= other


def test_arms_are_printed_with_their_authors_signs():
    shown = {arm: names.arm(arm) for arm in ("sv_trim_smote", "sv_prowsyn", "sv_smote_rsb")}
    assert list(shown.values()) == ["TRIM-SMOTE", "ProWSyn", "SMOTE-RSB*"]
    assert names.arm("sv_unknown") == "unknown" and names.arm("rose") == "rose"


def test_the_papers_ranks_are_still_found_by_its_own_spelling():
    ranks = read_paper_ranks("table3").set_index(["metric", "arm"])["rank"]
    assert ranks["macro_f1", "sv_supervised_smote"] == 15.22
    assert ranks["mcc", "sv_and_smote"] == 28.39
    assert not ranks.index.get_level_values("arm").isna().any()
