# ruff: noqa: E501 - the sources are tables
"""Building the table: from small sources to the same files twice, with the faults a source
may have.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from cds_service.errors import KnowledgeError
from cds_service.knowledge.drugs import build as building
from cds_service.knowledge.drugs.build import build, main
from cds_service.knowledge.drugs.ingredients import Ingredients, read_supplement
from cds_service.knowledge.drugs.model import Drug, DrugClass, Route
from cds_service.knowledge.drugs.rxnorm_names import read_name
from cds_service.knowledge.drugs.table import DrugTable

CONCEPTS = """\
rxcui,tty,name,ingredient_rxcuis,ingredient_names,dose_form,strength,drug_class,status,date
7804,IN,oxycodone,7804,oxycodone,,,opioid,prescribable,2025-10-06
82063,PIN,oxycodone hydrochloride,7804,oxycodone,,,opioid,prescribable,2025-10-06
373198,IN/PIN/BN,Oxycodone Tab,7804,oxycodone,,,opioid,in cumulus list,
373199,IN/PIN/BN,Oxycodone,7804,oxycodone,,,opioid,in cumulus list,
373200,IN/PIN/BN,Oxycodone pectinate,7804,oxycodone,,,opioid,in cumulus list,
373201,IN/PIN/BN,Oxycodone Transdermal,7804,oxycodone,,,opioid,in cumulus list,
1049683,SCD,oxycodone hydrochloride 10 MG Oral Tablet,7804,oxycodone,Oral Tablet,10 MG,opioid,prescribable,2025-10-06
1049684,SBD,oxycodone hydrochloride 10 MG Oral Tablet [Roxi Reformulated May 2009],7804,oxycodone,Oral Tablet,10 MG,opioid,prescribable,2025-10-06
1049686,SCDC,oxycodone hydrochloride 10 MG,7804,oxycodone,,10 MG,opioid,prescribable,2025-10-06
1049687,SCDC,oxycodone hydrochloride 99 MG,7804,oxycodone,,99 MG,opioid,prescribable,2025-10-06
1049688,SBDC,oxycodone hydrochloride 10 MG [Roxi],7804,oxycodone,,10 MG,opioid,prescribable,2025-10-06
1049689,SBDF,oxycodone Oral Tablet [Roxi],7804,oxycodone,Oral Tablet,,opioid,prescribable,2025-10-06
1049690,SCDF,oxycodone Oral Tablet,7804,oxycodone,Oral Tablet,,opioid,prescribable,2025-10-06
1049691,SCDG,oxycodone Pill,7804,oxycodone,Pill,,opioid,prescribable,2025-10-06
219740,BN,Roxi,7804,oxycodone,,,opioid,prescribable,2025-10-06
214721,MIN,naloxone / oxycodone,7242|7804,naloxone|oxycodone,,,opioid|opioid_antagonist,prescribable,2025-10-06
7242,IN,naloxone,7242,naloxone,,,opioid_antagonist,prescribable,2025-10-06
5492,IN,hydrocortisone,5492,hydrocortisone,,,corticosteroid,prescribable,2025-10-06
5493,SCD,hydrocortisone 10 MG/ML Topical Cream,5492,hydrocortisone,Topical Cream,10 MG/ML,corticosteroid,prescribable,2025-10-06
5494,SCD,hydrocortisone 10 MG Oral Tablet,5492,hydrocortisone,Oral Tablet,10 MG,corticosteroid,prescribable,2025-10-06
5495,SCDC,hydrocortisone 10 MG/ML,5492,hydrocortisone,,10 MG/ML,corticosteroid,prescribable,2025-10-06
5496,PIN,hydrocortisone mystery,5492,hydrocortisone,,,corticosteroid,prescribable,2025-10-06
"""
DRUGS = """\
rxcui,drug_name,tty,dose_form
250473,heroin 10 MG Oral Tablet,SCD,Oral Tablet
830196,opium tincture 100 MG/ML Oral Solution,SCD,Oral Solution
1666831,80 ACTUAT fentanyl 0.04 MG/ACTUAT Transdermal System,SCD,Transdermal System
1740007,{2 (fentanyl 0.6 MG/ACTUAT Mucosal Spray) } Pack,GPCK,Pack
"""
SETS = """\
canonical_url,code_system,code,display
http://x/ValueSet/opioid-analgesics-with-ambulatory-misuse-potential,http://rxnorm,1049684,known
http://x/ValueSet/opioid-analgesics-with-ambulatory-misuse-potential,http://rxnorm,576376,Buprenorphine 8 MG [Subutex]
http://x/ValueSet/opioid-analgesics-with-ambulatory-misuse-potential,http://rxnorm,329903,Levorphanol 2 MG
http://x/ValueSet/extended-release-opioid-with-ambulatory-misuse-potential,http://rxnorm,1049684,slow
http://x/ValueSet/cns-depressant-medications,http://rxnorm,828692,zolpidem tartrate 5 MG/ACTUAT Oral Spray
http://x/ValueSet/cns-depressant-medications,http://rxnorm,803348,phentermine 37.5 MG Oral Capsule
http://x/ValueSet/barbiturate-medications,http://loinc,1-1,no drug
http://x/ValueSet/benzodiazepine-medications,http://rxnorm,77,{2 (diazepam 5 MG Oral Tablet) / 1 (diazepam 10 MG Oral Tablet) } Pack [Dia Kit]
http://x/ValueSet/benzodiazepine-medications,http://rxnorm,78,{2 (diazepam 5 MG Oral Tablet) / 1 (1 ML) (diazepam 5 MG/ML Injection) } Pack
http://x/ValueSet/all-urine-drug-screening-tests,http://rxnorm,999,no drug
"""
NDC = """\
ndc11,rxcui,tty,name,ingredient_names,drug_class
00000000002,1049683,SCD,oxycodone hydrochloride 10 MG Oral Tablet,oxycodone,opioid
00000000001,485440,SCD,eszopiclone 1 MG Oral Tablet,eszopiclone,z_drug
00000000003,2046591,SCD,lofexidine 0.18 MG Oral Tablet,lofexidine,oud_adjunct
"""

KEPT = """\
# kept by hand
ingredient\thydrocortisone\t5492\tsystemic_corticosteroid
ingredient\tzolpidem\t39993\tz_drug
ingredient\teszopiclone\t\tz_drug
ingredient\tdiazepam\t3322\tbenzodiazepine
ingredient\tbutalbital\t19860\tbarbiturate
ingredient\tacetaminophen\t161\tother_nonopioid
ingredient\tgabapentin\t25480\tgabapentinoid
ingredient\tlidocaine\t6387\tother_nonopioid
concept\t5498\tacetaminophen 300 MG / butalbital 50 MG Oral Tablet
concept\t5499\tgabapentin 300 MG Oral Capsule
concept\t5500\tlidocaine 10 MG/ML Injection
concept\t5501\tnaloxone 40 MG/ML Nasal Spray
concept\t5502\tmethadone 40 MG Tablet for Oral Suspension
brand\toxybrand\toxycodone
word\toxy\toxycodone
word\troxy\troxi
concept\t5497\thydrocortisone 20 MG Oral Tablet
product\toxyten\t1049683
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source" / "rxnorm").mkdir(parents=True)
    for name, text in {
        "rxnorm/concepts_all.csv": CONCEPTS,
        "rxnorm/ndc_rxcui_all.csv": NDC,
        "opioid-drugs.csv": DRUGS,
        "opioid-valuesets.csv": SETS,
    }.items():
        (tmp_path / "source" / name).write_text(text)
    return tmp_path / "source"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    file = tmp_path / "supplement.tsv"
    file.write_text(KEPT)
    return file


@pytest.fixture
def table(source: Path, kept: Path, tmp_path: Path) -> DrugTable:
    build(source, tmp_path / "built", kept)
    return DrugTable.load(tmp_path / "built")


def drug(table: DrugTable, code: str) -> Drug:
    found = table.by_rxcui(code)
    assert found is not None
    return found


def test_twice_the_same(source: Path, kept: Path, tmp_path: Path) -> None:
    counts = build(source, tmp_path / "a", kept)
    assert build(source, tmp_path / "b", kept) == counts
    for name in counts:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert counts["ndc.txt"] == 2
    assert (tmp_path / "a" / "release.txt").read_text() == "2025-10-06\n"


def test_term_types(table: DrugTable) -> None:
    types = {
        code: drug(table, code).tty
        for code in ("373198", "373199", "373200", "576376", "329903", "77", "78")
    }
    assert types == {
        "373198": "SCDG",
        "373199": "IN",
        "373200": "PIN",
        "576376": "SBDC",
        "329903": "SCDC",
        "77": "BPCK",
        "78": "GPCK",
    }
    assert drug(table, "373198").route is Route.ORAL
    assert (drug(table, "373201").route, drug(table, "373201").extended_release) == (
        Route.TRANSDERMAL,
        True,
    )


def test_only_the_depressants_of_the_depressant_set(table: DrugTable) -> None:
    assert drug(table, "828692").is_a(DrugClass.Z_DRUG)
    assert table.by_rxcui("803348") is None
    assert table.by_rxcui("2046591") is None
    assert table.by_rxcui("999") is None


def test_the_reference_set_marks_long_acting(table: DrugTable) -> None:
    assert drug(table, "1049684").extended_release
    assert not drug(table, "1049683").extended_release


def test_groups_take_what_their_products_agree_on(table: DrugTable) -> None:
    for code in ("219740", "1049688", "1049689"):
        assert drug(table, code).extended_release, code
    assert drug(table, "219740").dose_form == "Oral Tablet"
    assert not drug(table, "1049686").extended_release
    assert drug(table, "1049687").route is Route.UNKNOWN
    assert drug(table, "1049691").route is Route.ORAL


def test_steroid_groups_count_only_if_all_products_do(table: DrugTable) -> None:
    assert drug(table, "5492").is_a(DrugClass.SYSTEMIC_CORTICOSTEROID)
    assert drug(table, "5494").is_a(DrugClass.SYSTEMIC_CORTICOSTEROID)
    for code in ("5493", "5495", "5496"):
        assert not drug(table, code).is_a(DrugClass.SYSTEMIC_CORTICOSTEROID), code


def test_classes_by_partners_and_route(table: DrugTable) -> None:
    assert drug(table, "5498").classes == {DrugClass.BARBITURATE}
    assert drug(table, "5499").classes == {DrugClass.GABAPENTINOID, DrugClass.OTHER_NONOPIOID}
    assert drug(table, "5500").classes == frozenset()
    assert drug(table, "5501").is_a(DrugClass.RESCUE_ANTAGONIST)
    assert (drug(table, "5502").oud_only, drug(table, "5502").route) == (True, Route.ORAL)
    assert drug(table, "1666831").route is Route.OTHER


def test_packs(table: DrugTable) -> None:
    assert drug(table, "77").dose_form == "Oral Tablet"
    assert (drug(table, "78").dose_form, drug(table, "78").route) == ("Pack", Route.OTHER)
    assert [c.strength for c in drug(table, "78").components] == [None]


def test_canonical_names() -> None:
    ingredients = Ingredients({"codeine": "2670"}, {}, {"mefenamic acid": "mefenamate"})
    assert ingredients.canonical("codeine phosphate") == "codeine"
    assert ingredients.canonical("mefenamic acid") == "mefenamate"
    assert ingredients.canonical("new drug hydrochloride") == "new drug"
    assert ingredients.canonical("sodium") == "sodium"
    assert ingredients.canonical("codeine x y", ["codeine", "codeine x"]) == "codeine x"


def test_names_without_strengths() -> None:
    read = read_name("acetaminophen / hydrocodone Oral Tablet [Norco]")
    assert [part.what for part in read.parts] == ["acetaminophen", "hydrocodone oral tablet"]
    assert read.brand == "Norco"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("ingredient\tx\t1\tpotion", "unknown drug class 'potion'"),
        ("ingredient\tx", "unreadable line"),
        ("spell\tx\ty", "unreadable line"),
    ],
)
def test_faults_of_the_hand_kept_file(tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "supplement.tsv"
    file.write_text(f"# comment\n\n{line}\n")
    with pytest.raises(KnowledgeError) as fault:
        read_supplement(file)
    assert str(fault.value).startswith(f"supplement.tsv:3: {what}")


def test_names_kept_by_hand(table: DrugTable) -> None:
    for text in ("oxy 10 mg", "Roxi 10 mg", "roxy 10 mg", "oxyten", "OxyBrand 10 mg"):
        found = table.by_name(text)
        assert found is not None, text
        assert [str(c.strength) for c in found.components] == ["10"], text


def test_command(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    monkeypatch.setattr(building, "HERE", tmp_path)
    (tmp_path / "supplement.tsv").write_text(KEPT)
    assert main([str(source)]) == 0
    assert "concepts.tsv: " in capsys.readouterr().out
    assert len(DrugTable.load(tmp_path / "data")) > 20


def test_module_as_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(building.__file__, run_name="__main__")
    assert end.value.code == 2
