from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dreamseed.cost.actuals import BillError, read_bill
from dreamseed.cost.actuals.focus import REQUIRED_COLUMNS, Kind
from tests.cost.actuals.bills import EXAMPLE, FIRST, HEADER

COLUMNS = HEADER.split(",")


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "bill.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def with_cell(column: str, value: str) -> str:
    cells = FIRST.split(",")
    cells[COLUMNS.index(column)] = value
    return ",".join(cells)


def test_the_example_has_the_sums_that_were_written_into_it() -> None:
    bill = read_bill(EXAMPLE)
    assert bill.month == date(2026, 11, 1)
    assert len(bill.charges) == 37
    billed = {kind: sum(c.billed_usd for c in bill.charges if c.kind is kind) for kind in Kind}
    assert billed == pytest.approx(
        {
            Kind.SERVICE: 9 * 4 + 12 + 10 * 1 + 10 * 0.13 - 4 + 29 + 240,
            Kind.CREDIT: -10,
            Kind.TAX: 4.8,
            Kind.CORRECTION: -2,
        }
    )
    assert sum(c.effective_usd for c in bill.charges if c.kind is Kind.SERVICE) == pytest.approx(104.3)


def test_a_free_tier_is_part_of_the_price_and_a_promotion_is_not() -> None:
    negative = [c for c in read_bill(EXAMPLE).charges if c.billed_usd < 0]
    assert [(c.billed_usd, c.kind) for c in negative] == [
        (-4, Kind.SERVICE),
        (-10, Kind.CREDIT),
        (-2, Kind.CORRECTION),
    ]


def test_the_provider_s_column_may_have_its_name_of_focus_1_3(tmp_path: Path) -> None:
    path = written(tmp_path, FIRST, header=HEADER.replace("ProviderName", "ServiceProviderName"))
    assert read_bill(path).charges[0].provider == "Google Cloud"


def test_columns_that_are_not_read_are_ignored(tmp_path: Path) -> None:
    assert len(read_bill(written(tmp_path, f"{FIRST},more", header=f"{HEADER},x_Mine")).charges) == 1


@pytest.mark.parametrize("column", [*REQUIRED_COLUMNS, "ProviderName"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(BillError) as refused:
        read_bill(written(tmp_path, FIRST, header=HEADER.replace(f"{column},", "x_Other,").replace(",SkuId", ",x_Sku")))
    assert refused.value.where == "bill.csv, line 1"
    assert column in refused.value.what


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("BillingCurrency", "EUR", "is EUR"),
        ("BilledCost", "1.234.5", "'1.234.5' is no amount"),
        ("BilledCost", "NaN", "'NaN' is no amount"),
        ("EffectiveCost", "Infinity", "'Infinity' is no amount"),
        ("EffectiveCost", "", "is empty"),
        ("ServiceName", " ", "is empty"),
        ("ChargePeriodStart", "2026-11-01", "'2026-11-01' is no time"),
        ("ChargePeriodStart", "2026-11-01T00:00:00+09:00", "'2026-11-01T00:00:00+09:00' is no time"),
        ("ChargePeriodStart", "2026-11-31T00:00:00Z", "'2026-11-31T00:00:00Z' is no time"),
        ("ChargePeriodEnd", "2026-11-01T00:00:00Z", "is not after ChargePeriodStart"),
        ("ChargeCategory", "Refund", "is 'Refund'"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_line_and_column(tmp_path: Path, column: str, value: str, what: str) -> None:
    with pytest.raises(BillError) as refused:
        read_bill(written(tmp_path, FIRST, with_cell(column, value)))
    assert refused.value.where == f"bill.csv, line 3, column {column}"
    assert refused.value.what == what
    assert refused.value.remedy


def test_a_second_month_is_refused(tmp_path: Path) -> None:
    october = FIRST.replace("2026-11-01", "2026-10-01")
    with pytest.raises(BillError, match=r"begins in 2026-10, the first charge in 2026-11"):
        read_bill(written(tmp_path, FIRST, october))


def test_an_amount_with_a_separator_is_refused_as_a_cell_too_many(tmp_path: Path) -> None:
    with pytest.raises(BillError, match="line 2: has 15 cells"):
        read_bill(written(tmp_path, f"1,{FIRST}"))
    with pytest.raises(BillError, match="'1,234' is no amount"):
        read_bill(written(tmp_path, with_cell("BilledCost", '"1,234"')))


def test_a_file_without_charges_or_without_text_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BillError, match="holds no charge"):
        read_bill(written(tmp_path))
    with pytest.raises(BillError, match="there is no such file"):
        read_bill(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BillError, match="is no CSV"):
        read_bill(tmp_path / "binary.csv")
    with pytest.raises(BillError, match="SkuId stands twice"):
        read_bill(written(tmp_path, FIRST, header=f"{HEADER},SkuId"))
