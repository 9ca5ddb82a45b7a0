"""What urine drug tests look for, and which medicines explain a positive or promise one. Pure.

A test for a group (amphetamines, fentanyl with its metabolite) is told from one for a single drug: a
panel lists the relatives of a drug beside it, and what nobody takes comes back negative. Source:
cdc-2022, recommendation 10; opioid-cds-r4 for the tests.
"""

from __future__ import annotations

from cds_service.frozen import Frozen
from cds_service.knowledge.drugs.model import DrugClass


class Substance(Frozen):
    """What a test looks for: its tests, and the ingredients, drug classes or RxNorm codes of the
    medicines that hold it.

    `explained_by` are ingredients, `related` RxNorm codes that explain a positive and promise none:
    the body makes the substance of them, or the test may find them as well. `never`: no medicine
    holds it.
    """

    name: str
    tests: str  # a value set
    ingredients: frozenset[str] = frozenset()
    classes: frozenset[DrugClass] = frozenset()
    drugs: str = ""  # a value set
    explained_by: frozenset[str] = frozenset()
    related: str = ""  # a value set
    never: bool = False


_OPIATES = frozenset(
    {
        "codeine",
        "morphine",
        "hydrocodone",
        "hydromorphone",
        "dihydrocodeine",
        "benzhydrocodone",
        "opium",
    }
)
_OPIUM = frozenset({"opium"})
_HYDROCODONE = frozenset({"hydrocodone", "benzhydrocodone"})
_OTHER_BARBITURATES = frozenset(
    {
        "amobarbital",
        "butabarbital",
        "butobarbital",
        "hexobarbital",
        "mephobarbital",
        "methohexital",
        "pentobarbital",
        "secobarbital",
        "thiopental",
    }
)
_STIMULANTS = (
    Substance(
        "amphetamine",
        "amphetamine-urine-drug-screening-tests",
        classes=frozenset({DrugClass.AMPHETAMINE}),
        drugs="amphetamine-medications",
        explained_by=frozenset({"benzphetamine", "phendimetrazine"}),
        related="amphetamines-class-medications",
    ),
    # Benzphetamine becomes methamphetamine and amphetamine, selegiline their left-handed forms.
    Substance(
        "methamphetamine",
        "methamphetamine-urine-drug-tests",
        frozenset({"methamphetamine"}),
        explained_by=frozenset({"benzphetamine", "selegiline"}),
    ),
    Substance("MDMA or a relative", "mdma-urine-drug-tests"),
    Substance("unlicensed stimulant", "unlicensed-stimulant-urine-drug-tests"),
    Substance(
        "methylphenidate",
        "methylphenidate-urine-drug-tests",
        frozenset({"methylphenidate", "dexmethylphenidate"}),
    ),
    Substance(
        "benzphetamine or phendimetrazine",
        "anorectic-urine-drug-tests",
        explained_by=frozenset({"benzphetamine", "phendimetrazine"}),
    ),
    Substance("cocaine", "cocaine-urine-drug-screening-tests", never=True),
)
_SEDATIVES = (
    Substance(
        "barbiturate",
        "barbiturate-urine-drug-screening-tests",
        classes=frozenset({DrugClass.BARBITURATE}),
    ),
    Substance("butalbital", "butalbital-urine-drug-tests", frozenset({"butalbital"})),
    Substance(
        "phenobarbital",
        "phenobarbital-urine-drug-tests",
        frozenset({"phenobarbital"}),
        explained_by=frozenset({"primidone", "mephobarbital"}),
    ),
    Substance(
        "other barbiturate",
        "other-barbiturate-urine-drug-tests",
        explained_by=_OTHER_BARBITURATES,
    ),
    Substance(
        "benzodiazepine",
        "benzodiazepine-urine-drug-screening-tests",
        classes=frozenset({DrugClass.BENZODIAZEPINE}),
    ),
    Substance("designer benzodiazepine", "designer-benzodiazepine-urine-drug-tests"),
    Substance("phencyclidine", "phencyclidine-urine-drug-screening-tests", never=True),
    Substance("xylazine", "xylazine-urine-drug-screening-tests", never=True),
)
_FENTANYLS = (
    Substance(
        "fentanyl",
        "fentanyl-type-urine-drug-screening-tests",
        frozenset({"fentanyl"}),
        explained_by=frozenset({"sufentanil", "alfentanil", "remifentanil"}),
    ),
    Substance(
        "sufentanil or alfentanil",
        "sufentanil-alfentanil-urine-drug-tests",
        explained_by=frozenset({"sufentanil", "alfentanil"}),
    ),
    Substance("unlicensed fentanyl analogue", "fentanyl-analogue-urine-drug-tests"),
    Substance(
        "despropionylfentanyl",
        "fentanyl-precursor-urine-drug-tests",
        explained_by=frozenset({"fentanyl"}),
    ),
)
_OPIOIDS = (
    Substance(
        "buprenorphine", "buprenorphine-urine-drug-screening-tests", frozenset({"buprenorphine"})
    ),
    Substance("heroin (6-monoacetylmorphine)", "heroin-urine-drug-screening-tests", never=True),
    Substance("methadone", "methadone-urine-drug-screening-tests", frozenset({"methadone"})),
    Substance("tapentadol", "tapentadol-urine-drug-tests", frozenset({"tapentadol"})),
    Substance("opiates", "general-opiate-urine-drug-screening-tests", _OPIATES),
    Substance(
        "oxycodone",
        "oxycodone-urine-drug-screening-tests",
        frozenset({"oxycodone"}),
        explained_by=frozenset({"oxymorphone"}),  # the tests of this set find either
    ),
    Substance(
        "noroxymorphone",
        "noroxymorphone-urine-drug-tests",
        explained_by=frozenset({"oxycodone", "oxymorphone", "naloxone", "naltrexone"}),
    ),
    # Tests for one opiate. Codeine becomes morphine and a little hydrocodone; hydrocodone, and a
    # little of morphine, becomes hydromorphone; opium holds morphine and codeine.
    Substance("codeine", "codeine-urine-drug-tests", frozenset({"codeine"}), explained_by=_OPIUM),
    Substance(
        "morphine",
        "morphine-urine-drug-tests",
        frozenset({"morphine"}),
        explained_by=_OPIUM | {"codeine"},
    ),
    Substance(
        "hydrocodone",
        "hydrocodone-urine-drug-tests",
        _HYDROCODONE,
        explained_by=frozenset({"codeine", "dihydrocodeine"}),
    ),
    Substance(
        "hydromorphone",
        "hydromorphone-urine-drug-tests",
        frozenset({"hydromorphone"}),
        explained_by=_HYDROCODONE | {"codeine", "morphine"} | _OPIUM,
    ),
)
SUBSTANCES: tuple[Substance, ...] = (*_STIMULANTS, *_SEDATIVES, *_FENTANYLS, *_OPIOIDS)
TESTS = tuple(substance.tests for substance in SUBSTANCES)
DRUGS = tuple(name for s in SUBSTANCES for name in (s.drugs, s.related) if name)
