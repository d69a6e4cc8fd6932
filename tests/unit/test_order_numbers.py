"""The script `check_order_number` of the library: order numbers whose last digit checks the others."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from cordboard.settings import load_settings

LIBRARY = Path(__file__).parents[2] / "ivr_flows"

IsValid = Callable[[str], bool]


@pytest.fixture(scope="module")
def is_valid() -> IsValid:
    """Calls the function that cordboard.yaml names, as it says."""
    script = load_settings(LIBRARY)[0].scripts["check_order_number"]
    module_name, _, name = script.entry.partition(":")
    spec = importlib.util.spec_from_file_location(module_name, LIBRARY / "scripts" / f"{module_name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (parameter,), (value,) = script.params, script.returns
    return lambda order_no: bool(getattr(module, name)(**{parameter: order_no})[value])


@pytest.mark.parametrize("order_no", ["12345674", "20484002", "47110010"])
def test_order_numbers_of_the_shop_are_valid(is_valid: IsValid, order_no: str) -> None:
    assert is_valid(order_no)


def test_one_wrong_digit_is_always_found(is_valid: IsValid) -> None:
    right = "20484002"
    wrong = [
        right[:at] + digit + right[at + 1 :] for at in range(8) for digit in "0123456789" if digit != right[at]
    ]
    assert [order_no for order_no in wrong if is_valid(order_no)] == []


@pytest.mark.parametrize("order_no", ["21345674", "12345647"])
def test_digits_that_changed_places_are_found(is_valid: IsValid, order_no: str) -> None:
    assert not is_valid(order_no)
