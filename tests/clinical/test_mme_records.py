"""What the total rests on when orders are missing: statements, dispenses, records of the past."""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.clinical.dates import on
from cds_service.clinical.facts import Dispense, Need, Statement
from cds_service.clinical.mme_series import daily_series
from tests.changes import replace
from tests.clinical.prescriptions import AS_OF, chart, dose, drug, knowledge, mme, order

OXYCODONE_10, MORPHINE_15, METHADONE_10 = "1049683", "892582", "864706"


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
        supply_days=30,
    )
    past = mme(dispenses=(gone,))
    assert (past.seen, past.orders, past.per_day, past.is_lower_bound) == (True, (), 0, False)
    assert mme(statements=(statement(OXYCODONE_10, status="completed"),)).seen
    assert not mme(dispenses=(replace(gone, drug=drug("310965")),)).seen


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
        "MedicationDispense/1", status="completed", drug=drug(OXYCODONE_10), supply_days=30
    )
    declined = Dispense(
        "MedicationDispense/2",
        status="declined",
        when=on(AS_OF),
        drug=drug(OXYCODONE_10),
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
