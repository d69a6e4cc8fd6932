"""What the agent's screen shows, whatever the trunk and the CRM say."""

from __future__ import annotations

from typing import Any

import pytest

from cordboard.crm.crm_file import CrmSettings
from cordboard.crm.screen_pop import PopField, Status, screen_pop

CRM = CrmSettings.model_validate(
    {
        "country": "GB",
        "connector": {"directory": {}},
        "title": "name",
        "customer": {
            "tier": "text", "name": "text", "customer_since": "date", "visits": "whole", "balance": "number",
            "vip": "yes_no",
        },
    }
)  # fmt: skip
ADA = {"tier": "gold", "name": "Ada", "customer_since": "2019-12-10", "visits": 3, "balance": -1250.5, "vip": True}


def pop_of(
    status: Status, customer: dict[str, Any] | None = None, ani: str = "+442079460123", name: str = ""
) -> Any:
    return screen_pop(CRM, ani=ani, caller_name=name, status=status, customer=customer or {})


def test_a_customer_under_the_title_with_fields_in_the_order_of_the_file() -> None:
    pop = pop_of("found", ADA, name="A. L.")
    assert (pop.title, pop.notice, pop.number, pop.caller_name) == ("Ada", "", "+44 20 7946 0123", "A. L.")
    assert pop.fields == (
        PopField("tier", "Tier", "text", "gold"),
        PopField("customer_since", "Customer since", "date", "2019-12-10"),
        PopField("visits", "Visits", "whole", "3"),
        PopField("balance", "Balance", "number", "-1,250.5"),
        PopField("vip", "Vip", "yes_no", "yes"),
    )
    assert (pop.matches, pop.others) == (1, ())


def test_several_customers() -> None:
    pop = pop_of("several", {**ADA, "matches": 3, "others": [{"name": "Betty"}, "junk"]})
    assert (pop.title, pop.notice, pop.matches) == ("Ada", "3 customers have this number", 3)
    ((tier, name, *_),) = pop.others
    assert (tier.value, name.value) == ("", "Betty")


@pytest.mark.parametrize(
    ("status", "ani", "title", "notice"),
    [
        ("pending", "+442079460123", "+44 20 7946 0123", "Looking up the customer…"),
        ("none", "02079460123", "+44 20 7946 0123", "No customer with this number"),
        ("failed", "+442079460123", "+44 20 7946 0123", "The CRM gave no usable answer"),
        ("withheld", "", "Number withheld", "Not looked up: the number is withheld"),
        ("withheld", "anonymous", "Number withheld", "Not looked up: the number is withheld"),
        ("withheld", "1001", "1001", "Not looked up: too short for a phone number"),
        ("withheld", "x" * 5_000, "x" * 199 + "…", "Not looked up: not a phone number"),
    ],
)
def test_without_a_customer(status: Status, ani: str, title: str, notice: str) -> None:
    pop = pop_of(status, ani=ani, name="Ada")
    assert (pop.status, pop.title) == (status, title)
    assert pop.notice.startswith(notice)
    assert (pop.caller_name, pop.fields) == ("Ada", ())


def test_without_a_crm_there_is_the_caller_and_nothing_to_say() -> None:
    pop = screen_pop(None, ani="+442079460123", caller_name="Ada", status="failed", customer={})
    assert (pop.status, pop.title, pop.notice, pop.caller_name) == ("none", "+44 20 7946 0123", "", "Ada")


def test_a_customer_without_a_title_is_known_by_the_number() -> None:
    assert pop_of("found", {**ADA, "name": ""}).title == "+44 20 7946 0123"


def test_a_record_noted_before_the_file_changed() -> None:
    pop = pop_of("found", {"name": "Ada", "gone": "x", "visits": "many", "vip": "yes", "balance": None})
    assert [field.value for field in pop.fields] == ["", "", "many", "", "yes"]


def test_what_the_crm_has_no_value_for_is_not_made_up() -> None:
    empty = {"name": "Ada", "tier": "", "customer_since": "", "visits": 0, "balance": 0.0, "vip": False}
    assert [field.value for field in pop_of("found", empty).fields] == [""] * 5


@pytest.mark.parametrize(
    ("sent", "shown"),
    [(r"Ada \"Countess\" L", 'Ada "Countess" L'), (r"back\\slash", "back\\slash"), (r"a\b", r"a\b"), ("\\", "\\")],
)
def test_a_callers_name_is_read_as_sip_quotes_it(sent: str, shown: str) -> None:
    assert pop_of("none", name=sent).caller_name == shown


HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b[2J\u202e\n" + "A" * 4_096


def test_hostile_texts_stay_text_and_drive_no_screen() -> None:
    pop = pop_of("found", {**ADA, "name": HOSTILE, "tier": "one\r\ntwo\x07" + "B" * 4_096}, name=HOSTILE)
    for text in (pop.title, pop.caller_name):
        assert text.startswith("<script>alert(1)</script>\"'&[2J")
        assert not {"\x00", "\x1b", "\u202e"} & set(text)
    assert len(pop.caller_name) == 200
    assert "\n" not in pop.caller_name
    tier = pop.fields[0].value
    assert tier.startswith("one\ntwoBBB")
    assert (len(tier), tier[-1]) == (2_000, "…")
