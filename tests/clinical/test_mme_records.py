"""What the total rests on when orders are missing: statements, dispenses, records of the past."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from cds_service.clinical.dates import Span, on
from cds_service.clinical.dispensed import dispensed
from cds_service.clinical.facts import Dispense, Need, Order, Sig, Statement
from cds_service.clinical.mme_series import daily_series
from cds_service.knowledge.codes import Code
from tests.changes import replace
from tests.clinical.prescriptions import (
    AS_OF,
    chart,
    derived,
    dose,
    drug,
    facts,
    knowledge,
    mme,
    order,
)

OXYCODONE_5, OXYCODONE_10, MORPHINE_15, METHADONE_10 = "1049621", "1049683", "892582", "864706"


def days(number: int) -> date:
    """So many days after the as-of date."""
    return AS_OF + timedelta(days=number)


def test_medications_that_could_not_be_obtained_bound_the_total() -> None:
    lacking = frozenset(Need) - {Need.MEDICATIONS}
    assert mme(order(OXYCODONE_10, dose(1, times=4)), available=lacking).is_lower_bound
    assert not mme(order(OXYCODONE_10, dose(1, times=4))).is_lower_bound


def test_nothing_is_seen_without_an_opioid() -> None:
    assert not mme(chart("310965", dose(1, times=3))).seen
    assert mme(chart(OXYCODONE_10, dose(1, times=3), status="stopped")).seen


def test_an_order_without_a_status_is_listed() -> None:
    total = mme(chart(OXYCODONE_10, dose(1, times=4), status="unknown"))
    assert (total.per_day, total.is_lower_bound) == (0, True)


def statement(rxcui: str, *, based_on: tuple[str, ...] = (), status: str = "active") -> Statement:
    """What the patient is said to take, four a day."""
    taken = order(rxcui, dose(1, times=4))
    return Statement(
        "MedicationStatement/1",
        text=taken.text,
        status=status,
        drug=drug(rxcui),
        opioid=taken.opioid,
        sig=taken.sig,
        based_on=based_on,
    )


def test_a_statement_counts_where_no_order_speaks_for_it() -> None:
    said = statement(OXYCODONE_10)
    assert mme(statements=(said,)).per_day == 60
    assert mme(chart(OXYCODONE_10, dose(1, times=2)), statements=(said,)).per_day == 30
    assert mme(chart(MORPHINE_15, dose(1, times=2)), statements=(said,)).per_day == 90
    assert mme(statements=(statement(OXYCODONE_10, status="completed"),)).per_day == 0


def test_a_dispense_is_listed_only_without_any_order_of_it() -> None:
    handed = Dispense(
        "MedicationDispense/1",
        status="completed",
        when=on(days(-5)),
        drug=drug(OXYCODONE_10),
        opioid=True,
        supply_days=30,
    )
    assert mme(dispenses=(handed,)).is_lower_bound
    assert mme(dispenses=(handed,)).orders[0].label == "oxycodone hydrochloride 10 MG Oral Tablet"
    assert not mme(chart(OXYCODONE_10, dose(1, times=2)), dispenses=(handed,)).is_lower_bound
    gone = Dispense(
        "MedicationDispense/1",
        status="completed",
        when=on(days(-35)),
        drug=drug(OXYCODONE_10),
        opioid=True,
        supply_days=30,
    )
    past = mme(dispenses=(gone,))
    assert (past.seen, past.orders, past.per_day, past.is_lower_bound) == (True, (), 0, False)
    assert mme(statements=(statement(OXYCODONE_10, status="completed"),)).seen
    assert not mme(dispenses=(replace(gone, drug=drug("310965"), opioid=False),)).seen


def fill(rxcui: str, handed_out: int, **more: Any) -> Dispense:
    """What a pharmacy handed out for 30 days, four a day."""
    said = order(rxcui, dose(1, times=4))
    return Dispense(
        more.pop("ref", "MedicationDispense/1"),
        text=said.text,
        status="completed",
        when=on(days(handed_out)),
        drug=said.drug,
        opioid=said.opioid,
        supply_days=30,
        sig=said.sig,
        **more,
    )


def test_what_is_reported_or_handed_out_in_another_strength_adds() -> None:
    now = chart(OXYCODONE_5, dose(1, times=2))
    assert mme(now, statements=(statement(OXYCODONE_10),)).per_day == 75
    assert mme(now, statements=(statement(OXYCODONE_10, based_on=(now.ref,)),)).per_day == 15
    assert mme(now, statements=(statement("7804"),)).per_day == 15
    assert mme(now, dispenses=(fill(OXYCODONE_10, -5),)).per_day == 75
    assert mme(now, dispenses=(fill(OXYCODONE_10, -5, orders=(now.ref,)),)).per_day == 15
    assert mme(now, dispenses=(fill(OXYCODONE_5, -5),)).per_day == 15
    assert (
        mme(statements=(statement(OXYCODONE_10),), dispenses=(fill(OXYCODONE_10, -5),)).per_day
        == 60
    )


def test_an_order_of_another_drug_does_not_stand_for_what_names_its_id() -> None:
    morphine = chart(MORPHINE_15, dose(1, times=2))
    assert (
        mme(morphine, statements=(statement(OXYCODONE_10, based_on=(morphine.ref,)),)).per_day == 90
    )
    unknown = chart(None, opioid=True)
    named = statement(OXYCODONE_10, based_on=(unknown.ref,))
    assert mme(unknown, statements=(named,)).per_day == 0
    assert mme(unknown, statements=(replace(named, based_on=()),)).per_day == 60


def test_codes_that_disagree_are_shown_beside_an_order() -> None:
    now = chart(OXYCODONE_10, dose(1, times=2))
    torn = replace(statement(OXYCODONE_10), drug_conflict="the codes name different drugs")
    found = mme(now, statements=(torn,))
    assert (found.per_day, found.is_lower_bound) == (30, True)
    found = mme(now, statements=(replace(torn, strengths_differ=True),))
    assert (found.per_day, found.is_lower_bound) == (30, False)


def test_an_order_stands_for_its_fill_while_it_runs_or_after_it_was_stopped() -> None:
    def total(written: int, status: str, handed_out: int) -> Fraction:
        past = chart(
            OXYCODONE_10, dose(1, times=4), written=days(written), supply=30, status=status
        )
        handed = fill(OXYCODONE_10, handed_out, orders=(past.ref,))
        found = mme(past, dispenses=(handed,)).per_day
        assert mme(past, dispenses=(replace(handed, orders=()),)).per_day == found
        return found

    assert total(-55, "active", -9) == 60
    assert total(-35, "completed", -9) == 60  # ran out since, the later supply has not
    assert total(-20, "completed", -9) == 0
    assert total(-35, "stopped", -9) == 0
    assert total(-55, "stopped", -9) == 60


def test_a_supply_handed_out_again_follows_the_earlier_one() -> None:
    early, late = fill(OXYCODONE_10, -28), fill(OXYCODONE_10, -1, ref="MedicationDispense/2")
    found = mme(dispenses=(late, early))
    assert found.per_day == 60
    assert [listed.notes[0] for listed in found.orders] == [
        "handed out on 2024-02-02",
        "handed out on 2024-02-29",
    ]
    apart = mme(dispenses=(early, replace(late, orders=("MedicationRequest/else",))))
    assert apart.per_day == 120


def test_a_fill_without_a_readable_dose_is_told() -> None:
    unread = replace(fill(OXYCODONE_10, -1), sig=Sig(unread="no dosage instruction"))
    (listed,) = mme(dispenses=(unread,)).orders
    assert listed.why == ("handed out on 2024-02-29; dose could not be read: no dosage instruction")


def test_a_fill_for_opioid_use_disorder_is_not_converted() -> None:
    treating = chart(
        METHADONE_10,
        written=days(-60),
        supply=30,
        reasons=frozenset({Code("ICD10CM", "F11.20")}),
    )
    handed = fill(METHADONE_10, -9, orders=(treating.ref,))
    *_, listed = mme(treating, dispenses=(handed,)).orders
    assert "opioid use disorder" in listed.why


def test_a_statement_without_a_status_is_listed_while_it_may_hold() -> None:
    said = statement(OXYCODONE_10, status="unknown")
    (listed,) = mme(statements=(said,)).orders
    assert listed.why == "its status is not known"
    assert mme(statements=(replace(said, span=Span(days(-9))),)).is_lower_bound
    assert not mme(statements=(replace(said, span=Span(days(-9), days(0))),)).is_lower_bound
    assert not mme(chart(OXYCODONE_10, dose(1, times=2)), statements=(said,)).is_lower_bound


def test_the_series_counts_past_orders_for_their_own_span() -> None:
    table = knowledge().factors
    first = chart(OXYCODONE_10, dose(1, times=4), written=days(-10), supply=5, status="completed")
    second = chart(
        MORPHINE_15,
        dose(1, times=4),
        written=days(-7),
        supply=5,
        ref="MedicationRequest/a2",
        prior=first.ref,
    )
    never = chart(
        MORPHINE_15, dose(1, times=4), written=days(-7), supply=5, status="cancelled", ref="x"
    )
    series = dict(daily_series((first, second, never), table, days(-11), days(-1)))
    assert [series[days(n)] for n in (-11, -10, -8, -7, -3, -2)] == [0, 60, 60, 60, 60, 0]


def test_dispenses_that_say_nothing_are_passed_over() -> None:
    undated = Dispense(
        "MedicationDispense/1",
        status="completed",
        drug=drug(OXYCODONE_10),
        opioid=True,
        supply_days=30,
    )
    declined = Dispense(
        "MedicationDispense/2",
        status="declined",
        when=on(AS_OF),
        drug=drug(OXYCODONE_10),
        opioid=True,
        supply_days=9,
    )
    other = Dispense(
        "MedicationDispense/3",
        status="completed",
        when=on(AS_OF),
        drug=drug("310965"),
        supply_days=9,
    )
    total = mme(order(MORPHINE_15, dose(1, times=1)), dispenses=(undated, declined, other))
    assert (total.is_lower_bound, total.references) == (False, ("MedicationRequest/rx1",))


def test_an_order_of_no_days_is_listed_at_its_own_tier_and_adds_nothing() -> None:
    """Dated on the last day of the calendar, where no supply can run."""
    now, never = dose(1, times=2), dose(1, times=3)
    total = mme(
        chart(METHADONE_10, now, ref="now"),
        chart(METHADONE_10, never, ref="never", written=date.max, supply=30),
        factors="cdc-2016",
    )
    assert total.per_day == 80  # 20 mg x 4
    listed = {found.ref: found for found in total.orders}
    assert listed["now"].per_day == 80
    assert listed["never"].per_day == 300  # 30 mg x 10, the tier of 20 + 30 mg
    assert "not at the same time as the greatest dose" in listed["never"].notes[0]


def test_a_dispense_of_another_class_is_the_orders_in_any_strength() -> None:
    def taken(*orders: Order) -> tuple[Dispense, ...]:
        handed = fill("308048", -5)  # alprazolam 0.5 mg
        return derived(dispensed, facts(*orders, dispenses=(handed,)))

    assert len(taken(chart(MORPHINE_15, dose(1, times=1)))) == 1
    assert taken(chart("308047", dose(1, times=1))) == ()
