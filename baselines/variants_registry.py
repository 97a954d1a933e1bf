"""Properties of smote_variants' samplers, available without the package."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One sampler of smote_variants 1.0.1.

    Attributes
    ----------
    name : str
        The class.
    in_85 : bool
        Whether it is one of the 85 that were compared in 2019; six are newer. The
        polynom_fit_SMOTE of 2019 is polynom_fit_SMOTE_star here, its default topology.
    takes_ratio : bool
        Whether it has a `proportion`; otherwise it runs once with its defaults.
    changes_features : bool
        Whether other rows must be transformed too.
    trouble : str
        Known problems with the default parameters.
    """

    name: str
    in_85: bool = True
    takes_ratio: bool = True
    changes_features: bool = False
    trouble: str = ""

    @property
    def sampler(self) -> str:
        """Return the sampler's name on the command line and in records."""
        return f"sv_{self.name.lower()}"


_ALL = (
    Variant("A_SUWO"),
    Variant("ADASYN"),
    Variant("ADG", trouble="slow from some thousand rows on"),
    Variant("ADOMS"),
    Variant("AHC", takes_ratio=False),
    Variant("AMSCO", takes_ratio=False, trouble="slow: minutes from some thousand rows on"),
    Variant("AND_SMOTE"),
    Variant("ANS"),
    Variant("ASMOBD"),
    Variant("Assembled_SMOTE"),
    Variant("Borderline_SMOTE1"),
    Variant("Borderline_SMOTE2"),
    Variant("CBSO"),
    Variant("CCR"),
    Variant("CE_SMOTE"),
    Variant("cluster_SMOTE"),
    Variant("CURE_SMOTE"),
    Variant("DBSMOTE"),
    Variant("DE_oversampling"),
    Variant("DEAGO", trouble="needs tensorflow; mended for keras 3"),
    Variant("distance_SMOTE"),
    Variant("DSMOTE", trouble="slow from some thousand rows on; relabels rows"),
    Variant("DSRBF", trouble="slow from some thousand rows on"),
    Variant("E_SMOTE", changes_features=True, trouble="draws from numpy's global generator"),
    Variant("Edge_Det_SMOTE"),
    Variant("G_SMOTE"),
    Variant("GASMOTE", takes_ratio=False, trouble="slow from some thousand rows on"),
    Variant("Gaussian_SMOTE"),
    Variant("Gazzah", trouble="drops the original minority rows and some of the majority"),
    Variant(
        "IPADE_ID",
        takes_ratio=False,
        trouble="slow from some thousand rows on; keeps a few prototypes only",
    ),
    Variant("ISMOTE", takes_ratio=False),
    Variant(
        "ISOMAP_Hybrid",
        changes_features=True,
        trouble="slow above ten thousand rows; draws from numpy's global generator",
    ),
    Variant("KernelADASYN"),
    Variant("kmeans_SMOTE", trouble="adds nothing where no cluster has few enough majority rows"),
    Variant("Lee"),
    Variant("LLE_SMOTE"),
    Variant("LN_SMOTE"),
    Variant("LVQ_SMOTE"),
    Variant("MCT"),
    Variant("MDO"),
    Variant(
        "MOT2LD",
        trouble="mended for scikit-learn's renamed TSNE argument; slow above some thousand rows",
    ),
    Variant("MSMOTE"),
    Variant("MSYN", trouble="slow above ten thousand rows"),
    Variant("MWMOTE"),
    Variant("NDO_sampling"),
    Variant("NEATER", trouble="slow above ten thousand rows; relabels new rows"),
    Variant("NRAS"),
    Variant("NRSBoundary_SMOTE", trouble="slow above ten thousand rows"),
    Variant("NT_SMOTE"),
    Variant("OUPS"),
    Variant("PDFOS"),
    Variant("polynom_fit_SMOTE_bus", in_85=False),
    Variant("polynom_fit_SMOTE_mesh", in_85=False),
    Variant("polynom_fit_SMOTE_poly", in_85=False),
    Variant("polynom_fit_SMOTE_star"),
    Variant("ProWSyn"),
    Variant("Random_SMOTE"),
    Variant("ROSE"),
    Variant("RWO_sampling"),
    Variant("Safe_Level_SMOTE"),
    Variant("SDSMOTE"),
    Variant("Selected_SMOTE"),
    Variant("SL_graph_SMOTE"),
    Variant("SMMO", trouble="fails on one-hot columns (LinAlgError)"),
    Variant("SMOBD", trouble="adds nothing where all rows are as dense"),
    Variant("SMOTE"),
    Variant("SMOTE_AMSR", in_85=False),
    Variant("SMOTE_Cosine"),
    Variant("SMOTE_D"),
    Variant(
        "SMOTE_ENN",
        trouble="gives the rows back at large ratios, where its cleaning would turn the classes",
    ),
    Variant("SMOTE_FRST_2T", takes_ratio=False),
    Variant("SMOTE_IPF"),
    Variant("SMOTE_OUT"),
    Variant("SMOTE_PSO", takes_ratio=False, trouble="slow: minutes from some thousand rows on"),
    Variant("SMOTE_PSOBAT", takes_ratio=False, trouble="slow from some thousand rows on"),
    Variant("SMOTE_RSB", trouble="adds nothing where no new row passes its rough-set filter"),
    Variant("SMOTE_TomekLinks"),
    Variant("SMOTEWB", in_85=False),
    Variant("SN_SMOTE"),
    Variant("SOI_CJ", trouble="adds nothing where it finds no cluster of two minority rows"),
    Variant("SOMO", trouble="adds nothing where no cell of its map is mostly minority rows"),
    Variant("SPY", takes_ratio=False, trouble="relabels majority rows, adds none"),
    Variant("SSO"),
    Variant("Stefanowski", takes_ratio=False),
    Variant("SUNDO", takes_ratio=False, trouble="slow above ten thousand rows"),
    Variant("Supervised_SMOTE"),
    Variant(
        "SVM_balance",
        trouble="slow above ten thousand rows; relabels rows; draws from numpy's global generator",
    ),
    Variant(
        "SYMPROD",
        in_85=False,
        trouble="slow above ten thousand rows; adds nothing where few minority rows are selected",
    ),
    Variant("TRIM_SMOTE"),
    Variant("V_SYNTH"),
    Variant("VIS_RST"),
)

VARIANTS: dict[str, Variant] = {variant.name: variant for variant in _ALL}
