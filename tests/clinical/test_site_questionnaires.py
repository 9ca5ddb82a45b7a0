"""A site's own questionnaires and result codes stand for an instrument once its value set names
them.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.esi_checklist import esi_checks
from cds_service.clinical.facts import Facts, Need, Observation, Quantity, QuestionnaireResponse
from cds_service.clinical.rule import Asker, Call, Known
from cds_service.clinical.screens import Screens, screens
from cds_service.knowledge.codes import Code
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from tests.changes import replace
from tests.clinical.spine_charts import ago, chart

FORM = "https://hospital.example.org/Questionnaire"
OURS = "urn:cds-service:questionnaire:"
HEAD = "says: Ours and the site's.\nsource: public-screening-instruments\ncodes: |\n"
REVIEWED = "reviewed: {on: 2026-11-22, by: [a, b], again: 2027-11-22}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    """Our knowledge with the questionnaires of one site laid over it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "valuesets").mkdir()
    for name, lines in {
        "screen-fabq-work": [
            f"QUESTIONNAIRE#{OURS}fabq-w",
            f"QUESTIONNAIRE#{FORM}/fabq FABQ of the hospital",
            "LINKID#work-total",
            "urn:hospital:results#FABQW FABQ work total",
        ],
        "esi-decision-support-record": [f"QUESTIONNAIRE#{FORM}/esi"],
    }.items():
        text = HEAD + "".join(f"  {line}\n" for line in lines) + REVIEWED
        (folder / "valuesets" / f"{name}.yaml").write_text(text, "utf-8")
    return load_knowledge(overlay=folder)


def filled_in(form: str, **answers: Decimal) -> QuestionnaireResponse:
    named = {link.replace("_", "-"): answer for link, answer in answers.items()}
    return QuestionnaireResponse(
        "QuestionnaireResponse/1",
        status="completed",
        when=ago(10),
        questionnaire=form,
        answers=named,
    )


def asked(knowledge: Knowledge, facts: Facts) -> Screens:
    return Known(Call(facts, knowledge), Asker("test", (screens,))).derived(screens)


@pytest.mark.parametrize(
    ("response", "score"),
    [
        (filled_in(OURS + "fabq-w", score=Decimal(35)), Decimal(35)),
        (filled_in(FORM + "/fabq", score=Decimal(35)), Decimal(35)),
        (filled_in(FORM + "/fabq", first=Decimal(6), work_total=Decimal(35)), Decimal(35)),
        (filled_in(FORM + "/fabq", another=Decimal(35)), None),
    ],
)
def test_a_sites_questionnaire_is_the_instruments(
    response: QuestionnaireResponse, score: Decimal | None, site: Knowledge
) -> None:
    found = asked(site, replace(chart(), questionnaire_responses=(response,)))
    assert set(found.done) == {"FABQ-W"}
    latest = found.latest.get("FABQ-W")
    assert (latest.score if latest else None) == score


def test_a_sites_questionnaire_says_nothing_where_nobody_named_it() -> None:
    response = filled_in(FORM + "/fabq", score=Decimal(35))
    assert asked(load_knowledge(), replace(chart(), questionnaire_responses=(response,))).done == {}


def test_a_sites_result_code_is_the_instruments(site: Knowledge) -> None:
    result = Observation(
        "Observation/1",
        frozenset({Code("urn:hospital:results", "FABQW")}),
        status="final",
        when=ago(10),
        value=Quantity(Decimal(35)),
    )
    found = asked(site, replace(chart(), observations=(result,)))
    assert found.latest["FABQ-W"].score == 35


@pytest.mark.parametrize(("form", "wanting"), [(FORM + "/esi", False), (OURS + "esi", True)])
def test_a_sites_record_of_decision_support(form: str, wanting: bool, site: Knowledge) -> None:
    facts = replace(chart(), questionnaire_responses=(filled_in(form),), available=frozenset(Need))
    known = Known(Call(facts, site), Asker("test", (esi_checks,)))
    assert known.derived(esi_checks).record.met is wanting
