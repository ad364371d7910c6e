"""A Run keeps its tables, their meaning and their digest; books that do not balance are refused by name and month."""

import csv
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from synthetic_run import record, synthetic_run

from evsim.errors import EvsimError, StorageError
from evsim.params import Scenario
from evsim.results import COLUMNS, Run, check_books, columns_table, read
from evsim.tables import frame

SHORT = ("2024-01", "2025-06")


@pytest.fixture(scope="module")
def run():
    return synthetic_run()


@pytest.fixture
def short_record():
    """A record of 18 months that a test may damage."""
    made = record(0, *SHORT)
    return {
        table: {name: np.array(values, dtype=object) for name, values in columns.items()}
        for table, columns in made.items()
    }


def build(short_record):
    return Run.from_record(Scenario(start=SHORT[0], end=SHORT[1]), 0, short_record, {})


def test_every_column_of_every_table_has_a_unit_and_a_description_of_its_own(run):
    for name, table in run.tables.items():
        assert list(table.columns) == list(COLUMNS[name])
        assert table.attrs["units"].keys() == table.attrs["descriptions"].keys() == set(table.columns)
        assert all(len(text) > 3 for text in table.attrs["descriptions"].values())
        assert len(set(table.attrs["descriptions"].values())) == len(table.columns)
    assert len(columns_table()) == sum(map(len, COLUMNS.values()))


def test_a_record_with_an_undescribed_or_missing_column_is_refused(short_record):
    short_record["headline"]["mood"] = short_record["headline"].pop("hhi_brand")
    with pytest.raises(EvsimError, match=r"headline: columns missing \['hhi_brand'\], unknown \['mood'\]"):
        build(short_record)


@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_no_nan_or_infinity_is_stored_where_a_number_is_due(short_record, value):
    short_record["market"]["price"][7] = value
    with pytest.raises(EvsimError, match="market, column price: row 7"):
        build(short_record)


def test_only_repeat_rates_and_changes_that_turn_a_choice_may_be_empty(run):
    nullable = {
        (table, name) for table, columns in COLUMNS.items() for name, column in columns.items() if column.nullable
    }
    rates = {("platforms", "repeat_rate"), ("headline", "repeat_rate"), ("headline", "brand_repeat_rate")}
    assert nullable == rates | {("decisions", "turning_change")}
    assert run.platforms["repeat_rate"].isna().any()


@pytest.mark.parametrize(
    ("table", "column", "balance"),
    [
        ("market", "orders", "cars ordered"),
        ("market", "buyer_price", "buyers' payments"),
        ("automakers", "revenue", "buyers' payments"),
        ("automakers", "royalties", "royalties"),
        ("automakers", "costs", "automakers' profit"),
        ("automakers", "investment", "automakers' profit"),
        ("automakers", "backlog", "backlog of automakers"),
        ("automakers", "units", "cars delivered by automakers"),
        ("platforms", "units", "cars delivered by platforms"),
        ("orchestrator", "parts_costs", "platform firm's profit"),
        ("government", "subsidies", "buyers' payments"),
        ("government", "net", "government's balance"),
        ("headline", "units", "cars delivered in the headline"),
        ("headline", "alliance_cumulative_deliveries", "alliance cars so far"),
    ],
)
def test_a_millionth_too_much_in_one_month_breaks_the_books_by_name_and_month(short_record, table, column, balance):
    values = short_record[table]["month"], short_record[table][column]
    values[1][values[0] == "2024-03"] *= 1 + 1e-6
    damaged = {name: frame(name, columns) for name, columns in short_record.items()}
    if column == "subsidies":
        damaged[table][column] += 1.0  # the made-up record pays subsidies in every month of this span
    month = "2024-01" if column == "subsidies" else "2024-03"
    with pytest.raises(EvsimError, match=f"books: {balance} do not balance in {month}"):
        check_books(damaged)


def test_a_month_missing_from_the_accounts_breaks_the_books(run):
    tables = dict(run.tables)
    tables["government"] = tables["government"].query("month != '2030-05'")
    with pytest.raises(EvsimError, match="2030-05"):
        check_books(tables)


def test_final_shares_sum_to_one_and_are_those_of_the_last_twelve_months(run):
    last = run.market.query("month >= '2035-01'")
    for by, shares in run.final_shares().items():
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-12), by
    allied = last.loc[last["camp"] == "alliance", "units"].sum() / last["units"].sum()
    assert run.final_shares()["kind"]["alliance"] == pytest.approx(allied, rel=1e-12)


def test_penetration_and_deliveries_leave_the_base_month_out(run):
    assert list(run.nev_penetration()) == list(range(2024, 2036))
    deliveries = run.alliance_cumulative_deliveries()
    assert list(deliveries)[0] == "2024-01" and len(deliveries) == 144
    allied = run.market.query("month > '2023-12' and camp == 'alliance'")["units"].sum()
    assert list(deliveries.values())[-1] == pytest.approx(allied, rel=1e-9)


def test_the_repeat_rate_weighs_platforms_by_their_buyers():
    made = {name: dict(columns) for name, columns in record(0, *SHORT).items()}
    made["switching"] = {  # 2024 is the last full year; `supplier` is no ecosystem, `none` no car
        "year": [2024, 2024, 2024, 2024, 2025], "from_platform": ["huawei", "huawei", "BYD", "supplier", "BYD"],
        "to_platform": ["huawei", "BYD", "BYD", "supplier", "BYD"], "buyers": [10.0, 30.0, 60.0, 900.0, 5.0],
    }  # fmt: skip
    run = build(made)
    assert run.repeat_rate() == pytest.approx(70.0 / 100.0)
    assert run.platform_repeat(2024) == {"BYD": 1.0, "huawei": 0.25}
    made["switching"] = {"year": [2024], "from_platform": ["first car"], "to_platform": ["BYD"], "buyers": [1.0]}
    assert build(made).repeat_rate() is None


def test_the_digest_knows_values_not_types_of_pandas(run):
    first = run.digest
    assert first == Run(run.scenario, 0, {name: table.copy() for name, table in run.tables.items()}, {}, {}).digest
    retyped = {
        name: table.astype({c: "object" for c in table if not pd.api.types.is_numeric_dtype(table[c])})
        for name, table in run.tables.items()
    }
    retyped["orchestrator"] = retyped["orchestrator"].astype({"members": "int32"})
    assert Run(run.scenario, 0, retyped, {}, {}).digest == first
    changed = dict(run.tables)
    changed["headline"] = run.headline
    changed["headline"].loc[5, "chargers"] += 1e-12
    assert Run(run.scenario, 0, changed, {}, {}).digest != first


def test_the_digest_is_sha_256_of_names_text_and_little_endian_numbers(run):
    """The bytes written out by hand, so that another language could do it."""
    expected = hashlib.sha256()
    for name in sorted(COLUMNS):
        for column, about in COLUMNS[name].items():
            values = run.tables[name][column].tolist()
            expected.update(f"{name}.{column}:{len(values)}\n".encode())
            if about.unit in ("month", "name", "choice"):
                expected.update(b"\0".join(value.encode("utf-8") for value in values))
            else:
                whole = about.unit in ("year", "fifth", "brands", "yes or no")
                expected.update(np.array(values, dtype="<i8" if whole else "<f8").tobytes())
    assert run.digest == expected.hexdigest()


def test_a_saved_run_is_read_back_whole_from_a_folder_with_spaces_and_chinese(run, tmp_path):
    folder = tmp_path / "运行 1"
    written = run.save(folder)
    assert {path.suffix for path in written} == {".parquet", ".csv", ".json"} and all(
        path.is_file() for path in written
    )
    again = read(folder)
    assert again.digest == run.digest and again.scenario == run.scenario and again.provenance == run.provenance
    pd.testing.assert_frame_equal(again.market, run.market)
    with (folder / "market.csv").open(encoding="utf-8", newline="") as file:
        prices = [float(row["price"]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(prices, run.market["price"])


def test_reading_refuses_tables_changed_after_the_run_and_folders_without_one(run, tmp_path):
    run.save(tmp_path)
    about = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    (tmp_path / "run.json").write_text(json.dumps(about | {"digest": "0" * 64}), encoding="utf-8")
    with pytest.raises(StorageError, match="digest"):
        read(tmp_path)
    with pytest.raises(StorageError, match=r"run\.json"):
        read(tmp_path / "elsewhere")


def test_a_parquet_column_carries_its_unit(run, tmp_path):
    import pyarrow.parquet

    run.save(tmp_path)
    field = pyarrow.parquet.read_schema(tmp_path / "market.parquet").field("price")
    assert field.metadata[b"unit"] == b"kCNY"


def test_the_json_answer_is_json_and_names_the_folder_only_when_there_is_one(run, tmp_path):
    answer = json.loads(json.dumps(run.to_json_dict(tmp_path), allow_nan=False))
    wanted = "scenario seed final_shares nev_penetration alliance_cumulative_deliveries repeat_rate digest folder"
    assert set(answer) == set(wanted.split())
    assert set(answer["final_shares"]) == {"platform", "automaker", "kind"}
    assert "folder" not in run.to_json_dict()


def test_a_frame_handed_out_can_be_changed_without_changing_the_run(run):
    before = run.headline["units"].iloc[0]
    handed_out = run.headline
    handed_out.loc[0, "units"] = -1.0
    assert run.headline["units"].iloc[0] == before


def test_a_run_is_its_own_whatever_becomes_of_the_record(short_record):
    made = build(short_record)
    before = made.digest
    short_record["headline"]["units"][:] = 1.0
    assert made.digest == before == Run(made.scenario, 0, dict(made.tables), {}, {}).digest
    assert made.headline["units"].iloc[0] == made.values("headline", "units")[0] != 1.0
    with pytest.raises(ValueError, match="read-only"):
        made.values("headline", "units")[0] = 1.0


def test_provenance_names_versions_data_and_the_whole_scenario(run):
    assert {"evsim", "python", "numpy", "numba", "mesa", "pandas"} == set(run.provenance["versions"])
    assert Scenario.model_validate(run.provenance["scenario"]) == run.scenario
    assert all(len(digest) == 64 for digest in run.provenance["data"].values()) and run.provenance["data"]


def test_a_notebook_shows_findings_and_escapes_names(run):
    shown = run._repr_html_()
    assert "<li>The alliance goes from" in shown and "2035" in shown
    odd = Run(run.scenario.model_copy(update={"name": "<script>"}), 0, run.tables, {}, {})
    assert "<script>" not in odd._repr_html_()
