"""CSV that a spreadsheet may open."""

import csv
import io
from dataclasses import replace

import pytest

from optimizer.report.formats.csv import cell, write


def rows(*answers):
    return list(csv.DictReader(io.StringIO(write(answers), newline="")))


def test_one_row_a_plan_with_the_contract_as_columns(answer, infeasible):
    one, other = rows(answer, infeasible)
    assert float(one["plan_parameters"]) == 6.97e9
    assert float(one["cost_total"]) == answer.cost.total
    assert float(one["near_optimal_5_parameters_high"]) == 9.34e9
    assert one["training_optimal_feasible"] == "true"
    assert one["warnings"] == "outside-range"
    assert one["amounts_USD"] == ""
    assert other["status"] == "infeasible"
    assert other["plan_parameters"] == other["near_optimal_1_parameters_low"] == ""
    assert other["infeasibility_reason"].startswith("the target of 1.9000")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_text_cannot_become_a_formula(answer, first):
    """The cells that OWASP's page on CSV injection lists."""
    name = f'{first}HYPERLINK("http://x";"y")'
    (row,) = rows(replace(answer, scenario=name, file=f"{first}cmd|' /C calc'!A0"))
    assert row["scenario"] == f"'{name}"
    assert row["file"].startswith(f"'{first}")


def test_negative_numbers_stay_numbers():
    assert cell(-1.5) == "-1.5"
    assert cell(float("nan")) == ""


def test_names_with_commas_quotes_and_lines_stay_in_their_cell(answer):
    name = 'a, "b"\nc'
    (row,) = rows(replace(answer, scenario=name))
    assert row["scenario"] == name
    assert float(row["plan_tokens"]) == 1.248e12
