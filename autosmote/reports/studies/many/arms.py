"""Arms of the experiments on many datasets: a source of sample sets, and the best set or a vote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autosmote.config.many import CONFIRMATION, DECISION
from autosmote.reports import names
from autosmote.reports.studies.selections import Selection

HALF_OF = {"many": DECISION, "many_confirmation": CONFIRMATION}
EXPERIMENTS = tuple(HALF_OF)
DECIDING = EXPERIMENTS[0]

NONE, WEIGHTS, THRESHOLD, SMOTE = "none", "weights", "threshold", "smote"
SUBJECT, BAGGING = "class_aware", "bagging balanced"
RANDOM_DRAWS, UNSEARCHED, STARTED = (
    *("class_aware random", "class_aware started 0", "class_aware started 60"),
)
PAPER, PAPER_RANDOM = names.FULL, "random"
SOURCES = (
    *(NONE, WEIGHTS, THRESHOLD, "oversampling", SMOTE, "svmsmote", "adasyn", BAGGING),
    *(PAPER_RANDOM, PAPER, RANDOM_DRAWS, SUBJECT, STARTED, UNSEARCHED),
)
"""Sources of conf/experiment/many.yaml in the order of tables; others follow."""
SINGLES = (NONE, WEIGHTS, THRESHOLD, UNSEARCHED)
"""Sources of one classifier, among whose sample sets nothing is chosen."""
BEST, VOTE = "best set", "vote"
FORMS = (BEST, VOTE)
"""What predicts in the end: the classifier of the best sample set, or the vote of several."""
CLASSIFIERS = names.CLASSIFIERS | {"logistic": "Logistic", "lightgbm": "LightGBM"}


def form_of(what: Selection) -> str:
    """Return whether an arm is that of a best set or of a vote."""
    return VOTE if "vote" in what.rule else BEST


@dataclass(frozen=True)
class Arms:
    """The arms of a plan.

    Attributes
    ----------
    known : dict
        Selection by an arm's label.
    """

    known: Mapping[str, Selection]

    def find(self, source: str, form: str) -> str | None:
        """Return the arm of a source in a form; of `SINGLES` whatever the form. None without."""
        for arm, what in self.known.items():
            if what.source == source and (source in SINGLES or form_of(what) == form):
                return arm
        return None

    def is_single(self, arm: str) -> bool:
        """Return whether the arm is of one classifier, which stands beside both forms."""
        return self.known[arm].source in SINGLES

    def title(self, arm: str) -> str:
        """Return the arm's name in tables, such as "SMOTE, vote"."""
        what = self.known[arm]
        name = names.arm(what.source)
        return name if self.is_single(arm) else f"{name}, {form_of(what)}"

    def in_order(self, there: Iterable[str]) -> list[str]:
        """Return arms in the order of tables: by form, then by source."""
        place = {source: i for i, source in enumerate(SOURCES)}

        def key(arm: str) -> tuple[bool, int, int, str]:
            what = self.known[arm]
            first = place.get(what.source, len(place))
            return (not self.is_single(arm), FORMS.index(form_of(what)), first, arm)

        return sorted(there, key=key)

    def of_form(self, form: str, there: Iterable[str]) -> list[str]:
        """Return the arms that are compared in a form: its own, and those of `SINGLES`."""
        chosen = (arm for arm in there if self.is_single(arm) or form_of(self.known[arm]) == form)
        return self.in_order(chosen)


@dataclass(frozen=True)
class Contrast:
    """Two arms, and the question that their difference answers.

    Attributes
    ----------
    question : str
        A key of `QUESTIONS`.
    form : str
        Of those of the two that have several.
    arm, against : str
    """

    question: str
    form: str
    arm: str
    against: str


QUESTIONS = {
    "smote": ("the class-aware search is better than SMOTE at equal budget", SUBJECT, SMOTE),
    "bagging": (
        "the class-aware search is better than balanced bagging at equal budget",
        SUBJECT,
        BAGGING,
    ),
    "draws": (
        "learning is worth its classifiers: the class-aware search against as many random draws",
        SUBJECT,
        RANDOM_DRAWS,
    ),
    "paper": (
        "learning is worth its classifiers: the paper's search against random search in its space",
        PAPER,
        PAPER_RANDOM,
    ),
    "start": (
        "searching is worth its classifiers: the class-aware search against the learned start "
        "without a search",
        SUBJECT,
        UNSEARCHED,
    ),
    "few": (
        "60 classifiers from the learned start are better than 300 of SMOTE's search",
        STARTED,
        SMOTE,
    ),
    "over-sampling": ("over-sampling by SMOTE is better than none", SMOTE, NONE),
    "threshold": ("a tuned threshold is better than the classifier as it is", THRESHOLD, NONE),
    "beyond": ("the class-aware search is better than a tuned threshold", SUBJECT, THRESHOLD),
}
"""By question: the claim, the source, and the source that it is compared with."""
WHEN = ("over-sampling", "threshold", "smote", "beyond")
"""Questions that are asked of datasets of each kind."""


def list_contrasts(arms: Arms) -> list[Contrast]:
    """Return each question in each form for which both arms are there, none twice."""
    found: dict[tuple[str, str, str], Contrast] = {}
    for question, (_, source, rival) in QUESTIONS.items():
        for form in FORMS:
            arm, against = arms.find(source, form), arms.find(rival, form)
            if arm and against:
                key = (question, arm, against)
                found.setdefault(key, Contrast(question, form, arm, against))
    return list(found.values())
