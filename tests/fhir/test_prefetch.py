"""Every state of a prefetch key, with and without access to the server: absent is not empty."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.clinical.facts import Need
from cds_service.errors import FhirNotFound, FhirReadError
from cds_service.fhir.client import Pages
from cds_service.fhir.prefetch import Came
from tests.fhir.calls import (
    PATIENT,
    Call,
    Server,
    bundle,
    condition,
    mine,
    outcome,
    raw,
    read,
)

CONDITIONS = [Need.CONDITIONS]
URL = "Condition?patient=p1"


def came(call: Call, fetch: Server | None = None) -> tuple[Came, bool, int]:
    """How the conditions came, whether they are available, and how many there are."""
    reading = read(call, CONDITIONS, fetch)
    return (
        reading.came[Need.CONDITIONS],
        not reading.facts.lacks(Need.CONDITIONS),
        len(reading.facts.conditions),
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        bundle(),
        {"resourceType": "Bundle", "total": 0},
        bundle(outcome("warning")),
        bundle(outcome("information"), total=0),
        outcome("warning"),
        {"resourceType": "Bundle", "entry": None},
    ],
)
def test_null_and_empty_results_are_known_to_be_empty(value: Any) -> None:
    server = Server({URL: bundle(condition())})
    assert came(Call({"conditions": value}), server) == (Came("empty"), True, 0)
    assert server.asked == []


@pytest.mark.parametrize("total", [1, 500])
def test_a_result_that_counts_resources_and_sends_none_says_nothing(total: int) -> None:
    counted = {"resourceType": "Bundle", "total": total}
    server = Server({URL: bundle(condition())})
    assert came(Call({"conditions": counted}), server) == (Came("fetched"), True, 1)
    way, available, _ = came(Call({"conditions": counted}))
    assert (way.how, available) == ("missing", False)
    way, available, _ = came(Call({}), Server({URL: counted}))
    assert (way.how, available) == ("missing", False)


@pytest.mark.parametrize("total", ["1", -1, 0, None, 1.5, True])
def test_a_count_that_is_none_does_no_harm(total: Any) -> None:
    assert came(Call({"conditions": bundle(total=total)})) == (Came("empty"), True, 0)


COUNTED = Came("prefetch", "fewer resources than the search counted")


def test_a_result_that_counts_more_than_it_sends_is_not_whole() -> None:
    elsewhere = mine("Condition", "c9", subject={"reference": "Patient/p2"})
    both = bundle(condition(), elsewhere, total=2)
    assert came(Call({"conditions": both})) == (Came("prefetch"), True, 1)
    assert came(Call({"conditions": bundle(condition(), total=40)})) == (COUNTED, False, 1)
    included = bundle(condition(), mine("Encounter", "e1"), total=2)
    assert came(Call({"conditions": included})) == (COUNTED, False, 1)
    strange = bundle(condition(), total=40, entry=[{"resource": condition(), "fullUrl": 5}])
    assert came(Call({"conditions": strange})) == (COUNTED, False, 1)
    assert came(Call({"conditions": strange | {"link": "x"}})) == (COUNTED, False, 1)
    link = [{"relation": "self", "url": "x"}]
    way, available, _ = came(Call({"conditions": bundle(total=40, link=link)}))
    assert (way.how, available) == ("missing", False)
    assert came(Call({"conditions": bundle(condition(), type="collection", total=40)})) == (
        Came("prefetch"),
        True,
        1,
    )


def test_the_count_is_of_all_pages() -> None:
    link = [{"relation": "next", "url": "https://ehr/fhir?page=2"}]
    call = Call({"conditions": bundle(condition("a"), link=link, total=2)})
    pages = {"https://ehr/fhir?page=2": bundle(condition("b"), total=2)}
    assert came(call, Server(pages)) == (Came("prefetch"), True, 2)
    more = Server({URL: Pages((raw(bundle(condition("a"), total=3)), raw(bundle(condition("b")))))})
    assert came(Call({}), more) == (Came("fetched", COUNTED.why), False, 2)


def test_a_next_link_without_an_address_cannot_be_followed() -> None:
    call = Call({"conditions": bundle(condition(), link=[{"relation": "next", "url": "?page=2"}])})
    server = Server({})
    way, available, found = came(call, server)
    assert (way.how, available, found) == ("prefetch", False, 1)
    assert "not whole" in way.why and server.asked == []


def test_a_further_page_is_seen_in_a_bundle_of_an_odd_shape() -> None:
    following = {"relation": "next", "url": "https://ehr/fhir?page=2"}
    for link in (following, [5, following]):
        odd = {"resourceType": "Bundle", "entry": {"resource": condition()}, "link": link}
        way, available, found = came(Call({"conditions": odd}))
        assert (way.why, available, found) == (
            "more pages, and no access to the FHIR server",
            False,
            1,
        )


@pytest.mark.parametrize(
    "value", [outcome("error"), outcome("fatal"), bundle(outcome("error")), bundle(outcome(""))]
)
def test_an_error_of_the_server_is_unknown_and_not_asked_again(value: Any) -> None:
    server = Server({URL: bundle(condition())})
    way, available, found = came(Call({"conditions": value}), server)
    assert (way.how, available, found) == ("missing", False, 0)
    assert server.asked == []


def test_what_came_with_an_error_is_used_but_proves_no_absence() -> None:
    way, available, found = came(Call({"conditions": bundle(condition(), outcome("error"))}))
    assert (way.how, available, found) == ("prefetch", False, 1)


@pytest.mark.parametrize(
    "prefetch",
    [
        None,
        {},
        {"conditions": {}},
        {"conditions": ""},
        {"conditions": []},
        {"patient": PATIENT},
    ],
)
def test_a_missing_key_is_fetched_once_and_else_unavailable(prefetch: Any) -> None:
    server = Server({URL: bundle(condition())})
    assert came(Call(prefetch), server) == (Came("fetched"), True, 1)
    assert server.asked == [URL]
    way, available, _ = came(Call(prefetch))
    assert (way.how, available) == ("missing", False)


@pytest.mark.parametrize(
    "failure", ["status 401", "status 403", "status 404", "status 503", "timeout"]
)
def test_a_failed_fetch_is_unavailable(failure: str) -> None:
    way, available, _ = came(Call({}), Server({URL: FhirReadError(failure)}))
    assert (way, available) == (Came("missing", f"the FHIR server: {failure}"), False)


def test_a_patient_whom_the_server_does_not_have_is_unavailable() -> None:
    server = Server({"Patient/p1": FhirNotFound("status 404")})
    reading = read(Call({}), [Need.PATIENT], server)
    assert reading.came[Need.PATIENT] == Came("missing", "the FHIR server: status 404")
    assert reading.facts.lacks(Need.PATIENT)
    assert not read(Call({"patient": None}), [Need.PATIENT]).facts.lacks(Need.PATIENT)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"5", b"[]", b"\xff", b'{"resourceType":"Patient"}', b"{}", b"[" * 9999]
)
def test_an_answer_that_is_no_result_is_unavailable(body: bytes) -> None:
    way, available, _ = came(Call({}), Server({URL: Pages((body,))}))
    assert (way.how, available) == ("missing", False)


def test_an_answer_cut_off_keeps_its_facts_but_not_its_need() -> None:
    server = Server(
        {URL: Pages((raw(bundle(condition("a"))), raw(bundle(condition("b")))), "too many pages")}
    )
    assert came(Call({}), server) == (Came("fetched", "too many pages"), False, 2)


def test_a_next_link_is_followed_with_access_and_else_leaves_the_need_incomplete() -> None:
    link = [
        {"relation": "self", "url": "x"},
        {"relation": "next", "url": "https://ehr/fhir?page=2"},
    ]
    call = Call({"conditions": bundle(condition("a"), link=link)})
    server = Server({"https://ehr/fhir?page=2": bundle(condition("a"), condition("b"))})
    assert came(call, server) == (Came("prefetch"), True, 2)  # the one on both pages counts once
    assert came(call) == (
        Came("prefetch", "more pages, and no access to the FHIR server"),
        False,
        1,
    )
    way, available, found = came(call, Server({}))
    assert (way.how, available, found) == ("prefetch", False, 1)


@pytest.mark.parametrize("key", ["-conditions", "Conditions", "condition", "Condition", "item7"])
def test_a_renamed_key_is_known_by_its_letters_or_its_content(key: str) -> None:
    server = Server({})
    assert came(Call({key: bundle(condition())}), server) == (Came("prefetch"), True, 1)
    assert server.asked == []


def test_a_renamed_key_without_content_is_known_by_its_letters_only() -> None:
    assert came(Call({"-conditions": bundle()})) == (Came("empty"), True, 0)
    assert not came(Call({"item7": bundle()}))[1]


def test_keys_of_the_same_content_are_read_together() -> None:
    call = Call(
        {
            "item1": condition("a"),
            "item2": condition("b"),
            "item3": {"resourceType": "Flag"},
            "n": 5,
        }
    )
    assert came(call) == (Came("prefetch"), True, 2)


@pytest.mark.parametrize(
    "value", [condition(), {"resource": condition()}, {"entry": {"resource": condition()}}]
)
def test_a_bare_resource_or_entry_stands_for_a_bundle_of_one(value: Any) -> None:
    assert came(Call({"conditions": value})) == (Came("prefetch"), True, 1)


def test_an_old_wrapper_and_a_bundle_of_something_else_are_missing() -> None:
    server = Server({URL: bundle(condition())})
    old = {"response": {"status": "200 OK"}, "resource": condition()}
    assert came(Call({"conditions": old}), server)[0] == Came("fetched")
    assert came(Call({"conditions": PATIENT}), server)[0] == Came("fetched")
    assert came(Call({"conditions": bundle(mine("Practitioner", "x"))}), server)[0] == Came(
        "fetched"
    )


def test_included_resources_are_not_facts_of_their_own() -> None:
    visit = mine("Encounter", "e1", status="finished")
    prefetch = {"conditions": bundle(condition(), visit), "encounters": bundle()}
    reading = read(Call(prefetch), [Need.CONDITIONS, Need.ENCOUNTERS])
    assert (len(reading.facts.conditions), len(reading.facts.encounters)) == (1, 0)


@pytest.mark.parametrize(
    "value", [5, True, "text", [condition()], {"resourceType": "Bundle", "entry": "x"}]
)
def test_an_impossible_value_costs_its_own_need_and_is_asked_for(value: Any) -> None:
    why = "no FHIR resource under its prefetch key, and no access to the FHIR server"
    assert came(Call({"conditions": value})) == (Came("missing", why), False, 0)
    assert came(Call({"conditions": value}), Server({URL: bundle(condition())})) == (
        Came("fetched"),
        True,
        1,
    )


def test_an_entry_that_is_no_resource_leaves_the_need_incomplete() -> None:
    value = {
        "resourceType": "Bundle",
        "entry": [{"resource": condition()}, 7, {"resource": "x"}, {"resource": None}],
    }
    way, available, found = came(Call({"conditions": value}))
    assert (way, available, found) == (Came("prefetch", "an entry could not be read"), False, 1)


def test_a_site_may_narrow_a_query() -> None:
    narrow = {Need.CONDITIONS: "Condition?patient={{context.patientId}}&category=problem-list-item"}
    server = Server({"Condition?patient=p1&category=problem-list-item": bundle(condition())})
    assert read(Call({}), CONDITIONS, server, narrow).came[Need.CONDITIONS] == Came("fetched")


def test_only_what_is_needed_is_read() -> None:
    reading = read(Call({"patient": PATIENT, "conditions": 5}), [Need.PATIENT])
    assert reading.facts.available == {Need.PATIENT}


def test_a_query_of_the_site_may_ask_for_the_visit() -> None:
    own = {
        Need.CONDITIONS: "Condition?patient={{context.patientId}}&encounter={{context.encounterId}}"
    }
    for named in ("e1", "Encounter/e1"):
        server = Server({})
        read(Call(patient_id="Patient/p1", encounter_id=named), [Need.CONDITIONS], server, own)
        assert server.asked == ["Condition?patient=p1&encounter=e1"]
