"""The shipped tables agree with each other, and none holds what a fit must not see."""

import hashlib

import numpy as np
import pytest

import evsim.data
from evsim.data import (
    data_digests,
    membership_at,
    policy_in_force,
    read_automakers,
    read_battery,
    read_brands,
    read_firm_figures,
    read_firm_quarters,
    read_launches,
    read_market_table,
    read_membership,
    read_monthly_totals,
    read_packs,
    read_policy,
    read_ranges,
    read_record,
    read_software,
    read_stock,
    read_vintages,
    seasonal_factors,
    shipped_path,
    software_quality,
)
from evsim.data.columns import check_unique, read_table
from evsim.data.credits import CREDIT_COLUMNS, check_spans
from evsim.data.firms import QUARTER_COLUMNS, check_quarters
from evsim.data.launches import LAUNCH_COLUMNS, check_calendar
from evsim.data.market import NO_ECOSYSTEM, POWERTRAINS, SIZE_CLASSES
from evsim.data.membership import MEMBERSHIP_COLUMNS, check_overlaps
from evsim.data.policy import POLICY_COLUMNS, check_instruments
from evsim.data.record import RECORD_COLUMNS, check_facts
from evsim.data.software import SOFTWARE_COLUMNS
from evsim.data.use import (
    ENERGY_COLUMNS,
    RESALE_COLUMNS,
    USE_COLUMNS,
    check_falling,
    check_figures,
    check_prices,
)
from evsim.errors import BadRequest

BASES = {"2021": "2021-12", "2023": "2023-12"}


def altered(tmp_path, name, columns, check, old, new):
    """The one-line refusal of a shipped table in which a text was exchanged."""
    text = shipped_path(name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadRequest) as caught:
        read_table(path, columns, check)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_automaker_and_brand_met_anywhere_is_described():
    automakers, brands = set(read_automakers()["automaker"]), set(read_brands()["brand"])
    tables = [read_market_table("2021"), read_market_table("2023"), read_launches(), read_vintages()]
    for table in tables:
        assert set(table["automaker"]) <= automakers
        assert set(table["brand"]) <= brands
    for names in read_brands()["automakers"]:
        assert set(names.split(";")) <= automakers


def test_the_five_partners_are_the_alliance_oems_and_byd_is_independent():
    kinds = read_automakers().set_index("automaker")["kind"]
    assert set(kinds[kinds == "alliance_oem"].index) == {"Seres", "Chery", "BAIC", "JAC", "SAIC"}
    assert kinds["BYD"] == "independent"
    assert kinds["FAW-VW"] == "incumbent"


@pytest.mark.parametrize("year", ["2021", "2023"])
def test_the_platforms_of_a_table_are_those_of_the_memberships_in_force(year):
    records = membership_at(BASES[year])
    of_brand = records[records["scope"] == "brand"].set_index("brand")["stack"].to_dict()
    of_product = {
        product: row["stack"]
        for row in records[records["scope"] == "line"].to_dict("records")
        for product in row["products"].split(";")
    }
    for row in read_market_table(year).to_dict("records"):
        expected = of_product.get(row["product"], of_brand.get(row["brand"], "supplier"))
        assert row["platform"] == expected or {row["platform"], expected} == set(NO_ECOSYSTEM)


def test_every_platform_on_sale_has_a_software_quality_by_then():
    for year, month in BASES.items():
        assert set(read_market_table(year)["platform"]) <= set(software_quality(month))
    for row in read_launches().to_dict("records"):
        assert row["platform"] in software_quality(row["month"])


def test_the_leader_trails_in_2021_and_leads_in_2023():
    then, now = software_quality("2021-12"), software_quality("2023-12")
    assert then["huawei"] < then["XPeng"] == max(then.values())
    assert now["huawei"] == max(now.values())
    assert now["none"] < now["supplier"] < now["huawei"]


def test_the_alliance_grows_from_one_line_to_five_brands():
    def members(month):
        records = membership_at(month)
        return set(records[(records["mode"] == "alliance") & (records["scope"] == "brand")]["brand"])

    assert members("2021-12") == set()
    assert members("2022-03") == {"AITO"}
    assert members("2023-12") == {"AITO", "Luxeed"}
    assert members("2025-12") == {"AITO", "Luxeed", "Stelato", "Maextro", "Shangjie"}


def test_products_of_memberships_and_later_events_exist():
    launches = read_launches()
    known = (
        set(read_market_table("2021")["product"]) | set(read_market_table("2023")["product"]) | set(launches["product"])
    )
    named = [key for keys in read_membership()["products"] for key in keys.split(";") if key]
    named += [key for keys in launches["of_products"] for key in keys.split(";") if key]
    assert set(named) <= known


def test_the_launch_calendar_spans_four_years_and_holds_no_sales():
    launches = read_launches()
    assert launches["month"].min() == "2022-01" and launches["month"].max() <= "2025-12"
    assert not [name for name in launches.columns if "unit" in name or "sales" in name]
    huawei = launches[(launches["mode"] == "alliance") & (launches["event"] == "launch")]
    assert set(huawei["automaker"]) == {"Seres", "Chery", "BAIC", "JAC", "SAIC"}
    assert set(huawei["platform"]) == {"huawei"}


def test_nothing_a_fit_may_read_is_younger_than_2023():
    assert read_vintages()["year"].max() == 2023
    assert read_vintages(2021)["year"].max() == 2021
    assert read_monthly_totals()["month"].max() == "2023-12"
    assert read_stock()["month"].max() == "2023-12"
    assert (read_firm_figures()["period"] <= read_firm_figures()["base"]).all()
    battery = read_battery()
    assert set(battery[battery["year"] > 2023]["note"]) == {"outcome"}
    assert read_software()["month"].max() <= "2024-08"


def test_no_record_is_younger_than_2025():
    record = read_record()
    assert record["period"].str[:4].astype(int).max() == 2025
    market = record[record["level"] == "market"].pivot(index="period", columns="measure", values="value")
    years = market[market.index.str.len() == 4]
    implied = (years["nev_retail"] / years["retail"])["2021":"2025"]
    assert np.allclose(implied, years["nev_penetration"]["2021":"2025"], atol=0.002)
    months = market[market.index.str.len() == 7]
    assert (months["nev_retail"] < months["retail"]).all() and (12 * months["retail"] < 1.6 * 24e6).all()


def test_the_months_around_a_year_end_are_recorded_in_one_scope():
    record = read_record()
    months = record[
        record["period"].str.len().eq(7) & record["measure"].isin(["nev_retail", "retail", "nev_sales", "deliveries"])
    ]
    for year in (2022, 2024):
        around = [f"{year}-11", f"{year}-12", f"{year + 1}-01", f"{year + 1}-02"]
        here = months[months["period"].isin(around)]
        assert here.groupby(["level", "entity", "measure"]).size().eq(len(around)).all()
    totals = read_monthly_totals().set_index("month")["units"]
    retail = months[months["measure"].eq("retail") & months["level"].eq("market")].set_index("period")["value"]
    known = [month for month in retail.index if month in totals.index and month >= "2023"]
    assert len(known) == 2
    assert np.allclose(retail[known], totals[known], rtol=0.01)  # the panel follows retail from 2023 on


def test_quarters_are_outcomes_after_every_base_date_and_of_makers_that_are_known():
    quarters = read_firm_quarters()
    assert quarters["quarter"].min() == "2024Q1" and quarters["quarter"].max() == "2025Q3"
    assert set(quarters["automaker"]) <= set(read_automakers()["automaker"])
    partners = set(read_automakers().query("kind == 'alliance_oem'")["automaker"])
    assert partners <= set(quarters["automaker"])


def test_the_quarters_of_2024_add_up_to_the_years_that_the_companies_published():
    profits = (
        read_firm_quarters()
        .query("item == 'net_profit'")
        .pivot(index="quarter", columns="automaker", values="value")["2024Q1":"2024Q4"]
    )
    published = {"Seres": 5.946, "BAIC": -6.95, "JAC": -1.784, "SAIC": 1.666, "BYD": 40.25, "NIO": -22.40}
    for name, year in published.items():
        assert profits[name].sum() == pytest.approx(year, abs=0.03), name


def test_past_sales_of_the_base_years_are_those_of_the_market_tables():
    totals = read_vintages().groupby("year")["units"].sum()
    assert totals[2021] == pytest.approx(read_market_table("2021")["units"].sum(), rel=1e-6)
    assert totals[2023] == pytest.approx(read_market_table("2023")["units"].sum(), rel=1e-6)


def test_seasonal_factors_average_to_one_with_a_dip_at_new_year_and_a_peak_in_december():
    for until in ("2021-12", "2023-12"):
        factors = seasonal_factors(until)
        assert factors.mean() == pytest.approx(1.0)
        assert factors.argmin() == 1 and factors.argmax() == 11
    assert 1.1 < factors[9:].mean() < 1.3


def test_seasonal_factors_are_those_of_a_plain_loop():
    totals = dict(zip(read_monthly_totals()["month"], read_monthly_totals()["units"], strict=True))
    months = sorted(totals)
    ratios = {month: [] for month in range(12)}
    for place in range(6, len(months) - 6):
        month = months[place]
        if month[:4] == "2022" or "2020-01" <= month <= "2020-06":
            continue
        window = [totals[months[place + shift]] for shift in range(-6, 7)]
        mean = (sum(window) - (window[0] + window[-1]) / 2) / 12
        ratios[int(month[5:]) - 1].append(totals[month] / mean)
    medians = np.array([np.median(ratios[month]) for month in range(12)])
    assert np.allclose(seasonal_factors(), medians / medians.mean(), rtol=1e-12)


def test_too_few_months_give_no_season():
    with pytest.raises(BadRequest, match="too few months"):
        seasonal_factors("2019-03")


def test_the_subsidies_in_force_are_those_of_the_law():
    late_2022 = policy_in_force("2022-11").set_index("instrument")
    assert set(late_2022.loc["national purchase subsidy", "amount"]) == {9.1, 12.6, 4.8}
    assert late_2022.loc["purchase-tax cut for petrol cars", "rate"] == 0.5
    relief = {
        month: policy_in_force(month).query("kind == 'tax_relief'")
        for month in ("2023-12", "2024-01", "2026-01", "2028-01")
    }
    assert np.isnan(relief["2023-12"]["cap"].iloc[0])
    assert list(relief["2024-01"]["cap"]) == [30.0] and list(relief["2024-01"]["rate"]) == [1.0]
    assert list(relief["2026-01"]["cap"]) == [15.0] and list(relief["2026-01"]["rate"]) == [0.5]
    assert relief["2028-01"].empty
    assert set(policy_in_force("2023-06")["kind"]) == {"purchase_tax", "tax_relief"}


def test_no_instrument_is_announced_after_it_starts():
    policy = read_policy()
    dated = policy[policy["announced"] != ""]
    assert (dated["announced"] <= dated["start"]).all()


def test_every_plug_in_class_on_sale_has_a_pack_and_every_bev_a_range():
    packs = {(row["powertrain"], row["size_class"]) for row in read_packs().to_dict("records")}
    assert packs == {(powertrain, size) for powertrain in POWERTRAINS[1:] for size in SIZE_CLASSES}
    ranges = read_ranges()
    bev = ranges[(ranges["powertrain"] == "bev") & (ranges["first_year"] <= 2022) & (ranges["last_year"] >= 2022)]
    assert set(bev["size_class"]) == set(SIZE_CLASSES)


def test_base_figures_differ_between_the_base_dates():
    assert read_automakers("2021-12").set_index("automaker")["capacity"]["Li Auto"] == 100_000
    assert read_automakers("2023-12").set_index("automaker")["capacity"]["Li Auto"] == 416_000
    with pytest.raises(BadRequest, match="2021-12 and 2023-12"):
        read_automakers("2022-12")


@pytest.mark.parametrize(
    ("name", "columns", "check", "old", "new", "expected"),
    [
        (
            "membership.csv",
            MEMBERSHIP_COLUMNS,
            check_overlaps,
            "2021-10,2023-12",
            "2021-10,2024-01",
            "has two modes in 2024-01",
        ),
        (
            "membership.csv",
            MEMBERSHIP_COLUMNS,
            check_overlaps,
            "2021-10,2023-12",
            "2021-10,2021-09",
            "is before the start",
        ),
        (
            "membership.csv",
            MEMBERSHIP_COLUMNS,
            check_overlaps,
            ",alliance,2022-03",
            ",alliances,2022-03",
            "did you mean 'alliance'?",
        ),
        (
            "policy.csv",
            POLICY_COLUMNS,
            check_instruments,
            "2024-01,2025-12",
            "2023-12,2025-12",
            "holds twice for one car",
        ),
        ("policy.csv", POLICY_COLUMNS, check_instruments, ",bev;phev;erev,", ",bev;hydrogen,", "'hydrogen' is none of"),
        ("policy.csv", POLICY_COLUMNS, check_instruments, "per_unit", "ad_valorem", "needs 'rate' and no 'amount'"),
        ("launches.csv", LAUNCH_COLUMNS, check_calendar, "2025-11,", "2021-11,", "sort by month"),
        ("record.csv", RECORD_COLUMNS, check_facts, "2025,", "2026,", "up to 2025-12"),
        ("firm_quarters.csv", QUARTER_COLUMNS, check_quarters, "2025Q3", "2026Q1", "up to 2025Q4"),
        ("firm_quarters.csv", QUARTER_COLUMNS, check_quarters, "2025Q3", "2025-Q3", "a quarter such as 2024Q1"),
        ("firm_quarters.csv", QUARTER_COLUMNS, check_quarters, "2025Q3", "2025Q2", "is already on line"),
        ("energy.csv", ENERGY_COLUMNS, check_prices, "2025-12", "2026-12", "up to 2025-12"),
        ("energy.csv", ENERGY_COLUMNS, check_prices, "2025-12", "2024-12", "is already on line"),
        ("energy.csv", ENERGY_COLUMNS, check_prices, "CNY/litre", "CNY/kWh", "must be CNY/litre for petrol"),
        ("energy.csv", ENERGY_COLUMNS, check_prices, "1,1.3,1.15", "1,1.3,1.35", "must lie between 1 and 1.3"),
        ("use.csv", USE_COLUMNS, check_figures, "fuel,ice,A0,", "fuel,ice,A00,", "is already on line"),
        ("use.csv", USE_COLUMNS, check_figures, "grid_factor,,,2015", "grid_factor,,,2020", "is already on line"),
        ("use.csv", USE_COLUMNS, check_figures, "km/year", "fraction", "must be km/year for distance"),
        ("resale.csv", RESALE_COLUMNS, check_falling, "ice,3,", "ice,4,", "breaks the order 1, 3, 5, 8, 10"),
        ("resale.csv", RESALE_COLUMNS, check_falling, "bev,5,0.26", "bev,5,0.5", "must be below 0.43"),
        ("resale.csv", RESALE_COLUMNS, check_falling, "erev,10,", "ice,10,", "is already on line"),
        ("credits.csv", CREDIT_COLUMNS, check_spans, "2021,2023,cap", "2020,2023,cap", "has two values in a year"),
        ("credits.csv", CREDIT_COLUMNS, check_spans, "2021,2023,cap", "2021,2020,cap", "is before the first"),
        ("credits.csv", CREDIT_COLUMNS, check_spans, "range_factor,150", "range_factor,", "needed for range_factor"),
        ("credits.csv", CREDIT_COLUMNS, check_spans, "range_factor,150", "range_factor,100", "two values in a year"),
    ],
)
def test_a_fault_in_a_shipped_table_is_noticed_on_loading(tmp_path, name, columns, check, old, new, expected):
    assert expected in altered(tmp_path, name, columns, check, old, new)


def test_rows_alike_in_all_named_columns_only_are_refused(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(
        shipped_path("software.csv").read_text(encoding="utf-8") + "huawei,2023-12,1,x,x,assumption\n", encoding="utf-8"
    )
    assert (read_table(path, SOFTWARE_COLUMNS)["platform"] == "huawei").sum() == 4
    with pytest.raises(BadRequest, match="'huawei', '2023-12' is already on line"):
        read_table(path, SOFTWARE_COLUMNS, check_unique("platform", "month"))


def test_the_digests_are_those_of_the_files_and_the_readme_speaks_of_each():
    digests = data_digests()
    readme = shipped_path("README.md").read_text(encoding="utf-8")
    for name, digest in digests.items():
        assert hashlib.sha256(shipped_path(name).read_bytes()).hexdigest() == digest
        assert f"`{name}`" in readme
    assert len(digests) == 21
    assert sum(shipped_path(name).stat().st_size for name in digests) < 4e6


def test_every_name_of_the_package_can_be_loaded():
    for name in dir(evsim.data):
        assert getattr(evsim.data, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'read_nothing'"):
        evsim.data.read_nothing  # noqa: B018
