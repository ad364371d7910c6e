"""A bad request ends with exit code 2 (3 for storage), one line on standard error, and nothing written."""

import os

import pytest

BACKWARDS = "{kind: per_unit, name: gift, start: 2024-06, end: 2024-05, amount_kcny: 1}"
EVERYTHING = "{kind: ad_valorem, name: all, start: 2024-01, rate: 1.0}"
NOVA = {"brand": "Nova", "automaker": "BYD", "powertrain": "bev", "size_class": "B", "price_kcny": 200}
GIFT = "{kind: per_unit, name: gift, start: 2024-01, amount_kcny: 1}"
QUICK = ("consumers.count=200", "consumers.reference_size=500", "pricing.survey_size=100", "end=2024-01")
BASE = {
    "product": "a",
    "brand": "A",
    "automaker": "A",
    "group": "A",
    "powertrain": "bev",
    "size_class": "B",
    "platform": "A",
    "units": "1000",
    "price": "150",
}


def brands(*changes):
    """A list of prospective brands as one writes it on the command line, each like Nova but for some fields; None: left out."""
    entries = [{name: value for name, value in (NOVA | change).items() if value is not None} for change in changes]
    return f"modes.prospective=[{', '.join(str(entry).replace(chr(39), '') for entry in entries)}]"


def gift(terms, plain="kind: per_unit, amount_kcny: 1"):
    """A benefit with some terms of its own."""
    known = [part for part in ("name: gift", "start: 2024-01", *plain.split(", ")) if part]
    kept = [part for part in known if part.split(":")[0] not in terms]
    return f"subsidy.instruments=[{{{', '.join([*kept, terms])}}}]"


def refused(answer, code, *fragments):
    """Check that an answer is a refusal that names what it should."""
    assert answer.code == code, answer.err
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1 and answer.err.startswith("evsim: ")
    assert all(fragment in answer.err for fragment in fragments), answer.err


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["rnu"], ["rnu", "run"]),
        (["run", "consumers.cout=5"], ["consumers.cout", "consumers.count"]),
        (["run", "consumers.count=many"], ["consumers.count=many", "whole number"]),
        (["run", "consumers.count=5"], ["consumers.count=5", "100"]),
        (["run", "market.growth=nan"], ["market.growth=nan", "0.0"]),
        (["run", "market.growth=inf"], ["market.growth=inf", "0.2"]),
        (["run", "market.price_tiers=[]"], ["market.price_tiers", "rise"]),
        (["run", "market.price_tiers=[200,100]"], ["market.price_tiers", "rise"]),
        (["run", "market.price_tiers=[0,100]"], ["market.price_tiers", "positive"]),
        (["run", "alliance.platform=supplier"], ["alliance.platform=supplier", "huawei"]),
        (["run", "capacity.minimum=0"], ["capacity.minimum=0", "above 0"]),
        (["run", "pricing.war_end=2024-06"], ["pricing.war_start", "together"]),
        (["run", "pricing.war_start=2024-06"], ["pricing.war_end", "together"]),
        (["run", "pricing.war_start=2024-06", "pricing.war_end=2024-05"], ["pricing.war_end=2024-05", "2024-06"]),
        (["run", "software.leap_month=2024-06"], ["software.leap_platform", "together"]),
        (
            ["run", "software.leap_platform=Tesla", "software.leap_month=2023-12"],
            ["software.leap_month=2023-12", "2024-01"],
        ),
        (["run", f"subsidy.instruments=[{BACKWARDS}]"], ["subsidy.instruments", "2024-05", "2024-06"]),
        (
            ["run", f"subsidy.instruments=[{GIFT}, {GIFT}]"],
            ["subsidy.instruments", "'gift'", "2024-01", "another name"],
        ),
        (["run", gift("announced: 2024-02")], ["subsidy.instruments", "announced in 2024-02", "2024-01"]),
        (["run", gift("start: 2024-13")], ["subsidy.instruments", "start", "2024-13"]),
        (["run", gift("budget_bn: -1")], ["subsidy.instruments", "budget_bn", "-1"]),
        (["run", gift("price_ceiling_kcny: -5")], ["subsidy.instruments", "price_ceiling_kcny", "-5"]),
        (["run", gift("income_below: 0")], ["subsidy.instruments", "income_below=0", "greater than 0"]),
        (["run", gift("household_share: 2")], ["subsidy.instruments", "household_share=2", "1"]),
        (["run", gift("amount_kcny: -3")], ["subsidy.instruments", "amount_kcny", "-3"]),
        (["run", gift("requires: a_licence")], ["subsidy.instruments", "requires", "scrappage"]),
        (["run", gift("powertrains: [steam]")], ["subsidy.instruments", "powertrains", "erev"]),
        (["run", gift("kind: ad_valorem, rate: 1.5", "")], ["subsidy.instruments", "rate=1.5", "equal to 1"]),
        (["run", gift("kind: ad_valorem, rate: 0.5, cap_kcny: -1", "")], ["subsidy.instruments", "cap_kcny", "-1"]),
        (["run", gift("kind: tax_exemption, share: 1.01", "")], ["subsidy.instruments", "share=1.01", "equal to 1"]),
        (["run", gift("kind: gift", "")], ["subsidy.instruments", "per_unit"]),
        (["run", gift("automakers: [Trabant]"), *QUICK], ["subsidy.instruments[0].automakers=Trabant", "Geely"]),
        (["run", "subsidy.scrappage_age_months=-1"], ["subsidy.scrappage_age_months=-1", "0"]),
        (["run", "consumers.horizon_months=-1"], ["consumers.horizon_months=-1", "0"]),
        (["run", "credits.floor_kcny=4"], ["credits", "floor_kcny=4", "cap_kcny=3"]),
        (["run", "credits.rule=free"], ["credits.rule=free", "clearing"]),
        (["run", "use.discount_rate=-0.1"], ["use.discount_rate=-0.1", "0"]),
        (["run", "use.hold_from=2024-00"], ["use.hold_from=2024-00"]),
        (["run", "consumers.shift_cost=0"], ["consumers.shift_cost=0", "above 0"]),
        (["run", f"subsidy.instruments=[{EVERYTHING}]", *QUICK], ["subsidy, month 1", "ad_valorem", "lower a rate"]),
        (
            ["run", "contracts.alliance.revenue_share=0.85", "contracts.alliance.unit_fee=300", *QUICK],
            ["contracts.alliance", "revenue_share=0.85", "unit_fee=300", "2260", "lower one"],
        ),
        (
            ["run", "contracts.inside.revenue_share=0.8", "contracts.inside.unit_fee=250", *QUICK],
            ["contracts.inside", "revenue_share=0.8", "unit_fee=250", "lower one"],
        ),
        (
            ["run", "alliance.offer_share=0.85", "alliance.offer_fee_scale=8", *QUICK],
            ["alliance.offer_share and alliance.offer_fee_scale", "revenue_share=0.85", "lower one"],
        ),
        (["run", "contracts.alliance.revenue_share=0.9"], ["contracts.alliance.revenue_share=0.9", "below 0.9"]),
        (["run", "contracts.alliance=3"], ["contracts.alliance", "contracts.alliance.fixed_fee"]),
        (["run", "contracts.alliance.unit_fees=3"], ["unit_fees", "contracts.alliance.unit_fee"]),
        (["run", brands({"automaker": "BYDD"}), *QUICK], ["modes.prospective[0].automaker=BYDD", "BYD"]),
        (["run", brands({}, {"brand": "Nove", "automaker": "Nobody"}), *QUICK], ["modes.prospective[1]", "Nobody"]),
        (["run", brands({"brand": "Tesla"}), *QUICK], ["modes.prospective[0].brand=Tesla", "already"]),
        (["run", brands({}, {"powertrain": "erev"})], ["modes.prospective", "Nova", "twice"]),
        (["run", "modes.prospective=[Nova]"], ["modes.prospective.0"]),
        *((["run", brands({name: None})], [f"modes.prospective.0.{name}", "required"]) for name in NOVA),
        (["run", brands({"powertrain": "steam"})], ["modes.prospective.0.powertrain=steam", "bev"]),
        (["run", brands({"size_class": "E"})], ["modes.prospective.0.size_class=E", "A00"]),
        (["run", brands({"price_kcny": -1})], ["modes.prospective.0.price_kcny=-1"]),
        (["run", brands({"agreed": "2024-13"})], ["modes.prospective.0.agreed=2024-13"]),
        (["run", brands({"colour": "red"})], ["modes.prospective.0.colour"]),
        (["run", "modes.rule=chose"], ["modes.rule=chose", "chosen"]),
        (["run", "modes.rival_platform=nobody", *QUICK], ["modes.rival_platform=nobody", "momenta"]),
        (["run", "modes.rival_platform=huawei", *QUICK], ["modes.rival_platform=huawei", "momenta"]),
        (["run", "modes.build_months_most=20"], ["modes.build_months_most=20", "modes.build_months_least=35"]),
        (["run", "modes.forecast_years=[]"], ["modes.forecast_years", "rise"]),
        (["run", "modes.forecast_years=[3, 1]"], ["modes.forecast_years", "rise"]),
        (["run", "modes.forecast_years=[0, 1]"], ["modes.forecast_years", "positive"]),
        (["run", "scenario=nowhere"], ["scenario=nowhere", "baseline"]),
        (["run", "pricing=free"], ["pricing=free", "nash"]),
        (["run", "-m", "seed=1"], ["evsim sweep"]),
        (["run", "--multirun", "seed=1,2"], ["evsim sweep"]),
        (["run", "seed=1,2"], ["seed=1,2", "evsim sweep"]),
        (["run", "scenario=baseline,no_alliance"], ["evsim sweep"]),
        (["run", "hydra.run.dir=x"], ["hydra.run.dir"]),
        (["run", "baseline"], ["baseline", "key=value"]),
        (["run", "--thread", "2"], ["--thread"]),
        (["run", "--threads", "0"], ["--threads", "0"]),
        (["run", "--threads", "two"], ["--threads", "two"]),
        (["run", "--out"], ["--out"]),
        (["run", "--out", ""], ["--out"]),
        (["run", "--config-dir", "nowhere"], ["nowhere"]),
        (["scenarios", "nowhere"], ["nowhere"]),
        (["scenarios", "baseline", "price_war"], ["price_war"]),
        (["explain", "pricing.rul"], ["pricing.rule"]),
        (["warmup", "now"], ["now"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_request_is_one_line_and_writes_nothing(evsim, here, words, fragments):
    refused(evsim(*words), 2, *fragments)
    assert os.listdir(here) == []


def table(here, rows, name="table.csv", columns=tuple(BASE)):
    """A market table on file."""
    lines = [",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]
    (here / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("change", "fragments"),
    [
        ({"product": "a"}, ["product", "a"]),
        ({"units": "-5"}, ["units", "-5"]),
        ({"price": "-1"}, ["price", "-1"]),
        ({"price": "0"}, ["price"]),
        ({"price": "nan"}, ["price"]),
        ({"units": "inf"}, ["units"]),
        ({"units": "many"}, ["units", "many"]),
        ({"powertrain": "steam"}, ["powertrain", "steam"]),
    ],
    ids=str,
)
def test_a_bad_row_of_a_market_table_is_named(evsim, here, change, fragments):
    name = table(here, [BASE, BASE | {"product": "b"} | change])
    refused(evsim("run", f"market.table={name}"), 2, name, "3", *fragments)
    assert os.listdir(here) == [name]


@pytest.mark.parametrize("key", ["software.advantage_kcny=20", "modes.rule=open"])
def test_a_lever_on_a_platform_that_no_car_runs_on_is_refused(evsim, here, key):
    name = table(here, [BASE, BASE | {"product": "b", "brand": "B", "automaker": "B", "platform": "B"}])
    refused(evsim("run", f"market.table={name}", key, *QUICK), 2, key.split("=")[0], "'huawei'", "A, B")
    assert os.listdir(here) == [name]


@pytest.mark.parametrize("column", BASE)
def test_a_missing_column_of_a_market_table_is_named(evsim, here, column):
    name = table(here, [BASE], columns=[other for other in BASE if other != column])
    refused(evsim("run", f"market.table={name}"), 2, column)
    assert os.listdir(here) == [name]


def test_a_table_without_products_is_refused(evsim, here):
    name = table(here, [])
    refused(evsim("run", f"market.table={name}"), 2, name)
    assert os.listdir(here) == [name]


@pytest.mark.parametrize("name", ["nowhere.csv", "不 在.csv"])
def test_a_missing_table_is_refused(evsim, here, name):
    refused(evsim("run", f"market.table={name}"), 2, name)
    assert os.listdir(here) == []


def test_a_path_with_spaces_and_chinese_characters_reaches_the_table(evsim, here):
    """The fault in the row shows that the file was found and read."""
    (here / "我的 资料").mkdir()
    name = table(here, [BASE | {"powertrain": "steam"}], "我的 资料/表 1.csv")
    refused(evsim("run", f"market.table={here / name}"), 2, "steam")


@pytest.mark.parametrize("out", ["file", "file/inside", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_storage_trouble_before_anything_runs(evsim, here, made_up_simulation, out):
    (here / "file").write_text("no folder")
    refused(evsim("run", "--out", out), 3, out)
    assert made_up_simulation == []
    assert os.listdir(here) == ["file"]


def test_a_read_only_folder_is_storage_trouble(evsim, here, made_up_simulation):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (here / "outputs").mkdir(mode=0o555)
    refused(evsim("run"), 3, "outputs")
    assert made_up_simulation == []
