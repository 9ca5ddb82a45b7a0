"""What is known about a drug product or ingredient. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class DrugClass(StrEnum):
    """The drug classes that rules ask about."""

    OPIOID = "opioid"
    OPIOID_ANTAGONIST = "opioid_antagonist"
    RESCUE_ANTAGONIST = "rescue_antagonist"  # naloxone or nalmefene alone, in a rescue form
    BENZODIAZEPINE = "benzodiazepine"
    GABAPENTINOID = "gabapentinoid"
    MUSCLE_RELAXANT = "muscle_relaxant"
    Z_DRUG = "z_drug"
    BARBITURATE = "barbiturate"
    OTHER_CNS_DEPRESSANT = "other_cns_depressant"
    NSAID = "nsaid"
    OTHER_NONOPIOID = "other_nonopioid"  # acetaminophen alone, topical lidocaine, SNRI, ...
    ANTICOAGULANT = "anticoagulant"
    ANTIPLATELET_P2Y12 = "antiplatelet_p2y12"
    SYSTEMIC_CORTICOSTEROID = "systemic_corticosteroid"
    IMMUNOSUPPRESSANT = "immunosuppressant"
    ANTIDEPRESSANT = "antidepressant"
    AMPHETAMINE = "amphetamine"


class Route(StrEnum):
    """How a product is given, as far as its dose form tells."""

    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    BUCCAL = "buccal"
    NASAL = "nasal"
    TRANSDERMAL = "transdermal"
    RECTAL = "rectal"
    INJECTION = "injection"
    IMPLANT = "implant"
    TOPICAL = "topical"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Component:
    """One ingredient of a product; two salts of one opioid are two components.

    `strength` is in `unit`: mg, mg/mL, mg/h, mg/{actuat}, mg/mg (unt, meq for others); None if
    unknown. That of opium tincture is its morphine, 10 mg/mL, a tenth of the opium on the label.
    """

    ingredient: str  # canonical lower-case RxNorm ingredient name, base form ("oxycodone")
    rxcui: str  # RxNorm ingredient (IN) code
    strength: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Drug:
    """A RxNorm concept of any term type, or a drug known by name only (`rxcui` empty)."""

    rxcui: str
    name: str
    tty: str  # IN PIN MIN SCDC SCDF SCDG SCD SBD SBDC SBDF BN GPCK BPCK, or NAME
    components: tuple[Component, ...]
    dose_form: str = ""
    route: Route = Route.UNKNOWN
    classes: frozenset[DrugClass] = frozenset()
    extended_release: bool = False
    oud_only: bool = False  # labelled for opioid use disorder only
    sealed_ml: Decimal | None = (
        None  # mL in one unit, where the name says so ("10 ML ... Injection")
    )
    # The opioid components (none in a drug of another class); antagonists are not among them.
    opioids: tuple[Component, ...] = field(init=False, compare=False, repr=False)
    is_opioid: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        opioids = tuple(c for c in self.components if c.ingredient in OPIOID_INGREDIENTS)
        object.__setattr__(self, "opioids", opioids)
        object.__setattr__(self, "is_opioid", DrugClass.OPIOID in self.classes)

    def is_a(self, *classes: DrugClass) -> bool:
        """Whether the drug belongs to any of `classes`."""
        return not self.classes.isdisjoint(classes)


# Canonical opioid ingredient names; `knowledge/drugs/table.py` checks the shipped table against
# them.
OPIOID_INGREDIENTS: frozenset[str] = frozenset(
    {
        "alfentanil", "benzhydrocodone", "buprenorphine", "butorphanol", "codeine",
        "dextromoramide", "diamorphine", "difelikefalin", "dihydrocodeine", "dipipanone",
        "fentanyl", "heroin", "hydrocodone", "hydromorphone", "levomethadone", "levomethadyl",
        "levorphanol", "meperidine", "meptazinol", "methadone", "morphine", "nalbuphine",
        "normethadone", "oliceridine", "opium", "oxycodone", "oxymorphone", "papaveretum",
        "pentazocine", "pholcodine", "propoxyphene", "remifentanil", "sufentanil", "tapentadol",
        "tilidine", "tramadol",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identified:
    """What a medication's codings and text say together.

    `conflict` is set when codings name different opioids or different strengths: then no dose is
    computed, except one in mg where only the strengths differ (`strengths_differ`; the drug is
    without them then).
    """

    drug: Drug | None
    label: str
    basis: str  # "rxnorm" | "ndc" | "name" | "none"
    conflict: str | None = None
    opioid_by_name: bool = False  # an opioid name in the text although no code was known
    strengths_differ: bool = False

    @property
    def opioid(self) -> bool:
        """Whether it is an opioid, by code or by name."""
        return self.opioid_by_name or (self.drug is not None and self.drug.is_opioid)
