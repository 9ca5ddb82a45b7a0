"""Self-harm answers in questionnaires as they were filled in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.criteria import MET, Criterion
from cds_service.clinical.evaluate import evaluate
from cds_service.clinical.facts import Facts, QuestionnaireResponse
from cds_service.clinical.rules import load_rules
from cds_service.knowledge.codes import Code
from tests.changes import replace
from tests.clinical.spine_charts import AS_OF, ago, knowledge

FORM = QuestionnaireResponse(
    "QuestionnaireResponse/1",
    status="completed",
    when=ago(3),
    questionnaire="http://loinc.org/q/44249-1",
    answers={"/44260-8": Code("LOINC", "LA6569-3")},
)


def found(form: QuestionnaireResponse) -> tuple[Criterion, ...]:
    facts = Facts(AS_OF, "patient-view", questionnaire_responses=(form,))
    findings = evaluate((load_rules()["suicide-risk"],), facts, knowledge()).findings
    return findings[0].criteria if findings else ()


@pytest.mark.parametrize(
    "answers",
    [
        {"/44260-8": Code("LOINC", "LA6569-3")},
        {"44260-8": Decimal(1)},
        {"/44261-6": Decimal(4), "/44260-8": Decimal(3)},
    ],
)
def test_a_positive_answer_on_a_form_is_one(answers: dict[str, object]) -> None:
    (criterion,) = found(replace(FORM, answers=answers))
    assert (criterion.status, criterion.because) == (MET, (FORM.ref,))


@pytest.mark.parametrize(
    "form",
    [
        replace(FORM, answers={"/44260-8": Code("LOINC", "LA6568-5")}),
        replace(FORM, answers={"/44260-8": Decimal(0), "/44261-6": Decimal(20)}),
        replace(FORM, answers={"/44260-8": "yes", "/44259-0": Decimal(3)}),
        replace(FORM, status="entered-in-error"),
        replace(FORM, when=ago(31)),
        replace(FORM, when=ago(-1)),
    ],
)
def test_any_other_is_none(form: QuestionnaireResponse) -> None:
    assert found(form) == ()
