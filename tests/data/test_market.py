"""The market table: what is shipped, and what is refused in a table of one's own."""

import pandas as pd
import pytest

from evsim.data import describe_market_columns, read_market_table
from evsim.data.market import MARKET_COLUMNS
from evsim.errors import BadRequest

HEADER = "product,brand,automaker,group,powertrain,size_class,platform,units,price"
GOOD = ["m7,AITO,Seres,Seres,erev,C,huawei,68000,250", "y,Tesla,Tesla,Tesla,bev,B,Tesla,456000,279"]


def written(folder, *rows, header=HEADER, name="table.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def refusal(path):
    with pytest.raises(BadRequest) as caught:
        read_market_table(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_2023_table_holds_the_year_and_its_last_quarter():
    table = read_market_table("2023")
    assert table["units"].sum() == pytest.approx(21.68e6, rel=1e-3)  # the panel; CPCA retail 21.70 million (recalled)
    nev = table["powertrain"] != "ice"
    assert table.loc[nev, "units"].sum() / table["units"].sum() == pytest.approx(0.357, abs=0.005)  # CPCA, recalled
    assert table.loc[nev, "window_units"].sum() / table["window_units"].sum() == pytest.approx(0.39, abs=0.01)
    mean_price = (table["price"] * table["units"]).sum() / table["units"].sum()
    assert mean_price == pytest.approx(183.0, abs=0.5)  # CPCA
    aito = table["brand"] == "AITO"
    assert table.loc[aito, "window_units"].sum() / table["window_units"].sum() == pytest.approx(0.0100, abs=0.0005)


def test_the_2021_table_counts_teslas_sold_in_china_only():
    table = read_market_table("2021").set_index("product")
    assert table["units"].sum() == pytest.approx(20.82e6 - 136_851, rel=1e-3)
    assert table["units"][["tesla-model-3", "tesla-model-y"]].sum() == 320_743
    assert set(table["confidence"][["tesla-model-3", "tesla-model-y"]]) == {"recalled"}


def test_aito_sells_nothing_in_2021():
    table = read_market_table("2021")
    assert not (table["brand"] == "AITO").any()
    assert (table["platform"] == "huawei").sum() == 1  # the SF5


@pytest.mark.parametrize("year", ["2021", "2023"])
def test_no_shipped_product_starts_after_its_year_and_chinese_names_are_whole(year):
    table = read_market_table(year)
    assert table["first_month"].max() <= f"{year}-12"
    assert table.set_index("product")["name_zh"]["nissan-sylphy"] == "轩逸"


def test_a_table_with_the_required_columns_only_is_filled_with_defaults(tmp_path):
    table = read_market_table(written(tmp_path, *GOOD))
    assert list(table["name"]) == ["m7", "y"]
    assert list(table["window_units"]) == [17000.0, 114000.0]
    assert list(table["list_price"]) == list(table["price"])
    assert list(table["nameplates"]) == [1, 1]
    assert not table["pooled"].any()
    assert list(table.columns) == [column.name for column in MARKET_COLUMNS]


def test_a_byte_order_mark_spaces_and_chinese_characters_in_the_path_do_no_harm(tmp_path):
    path = tmp_path / "我的 市场 table.csv"
    path.write_text("\n".join([HEADER, *GOOD, "han,比亚迪,比亚迪,BYD,phev,C,BYD,1e5,200"]), encoding="utf-8-sig")
    table = read_market_table(str(path))
    assert table["brand"].iloc[2] == "比亚迪"
    assert table["units"].iloc[2] == 100_000


def test_two_automakers_may_share_a_brand_and_strange_columns_are_passed_over(tmp_path):
    rows = ["a,Audi,FAW-VW,FAW,ice,C,supplier,10,300,x", "b,Audi,SAIC-Audi,SAIC,bev,C,supplier,10,300,y"]
    table = read_market_table(written(tmp_path, *rows, header=HEADER + ",my_remark"))
    assert list(table["automaker"]) == ["FAW-VW", "SAIC-Audi"]
    assert "my_remark" not in table


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("units", "0", "above 0"),
        ("units", "-3", "above 0"),
        ("units", "nan", "above 0"),
        ("units", "1_000", "above 0"),
        ("price", "inf", "above 0"),
        ("price", "1e999", "above 0"),
        ("price", "", "empty must be a number"),
        ("price", "249,8", "above 0"),
        ("powertrain", "BEV", "did you mean 'bev'?"),
        ("powertrain", "petrol", "one of ice, bev, phev, erev"),
        ("size_class", "a00", "did you mean 'A00'?"),
        ("size_class", "E", "one of A00, A0, A, B, C, D"),
        ("brand", "  ", "empty must be a text"),
        ("product", "", "empty must be a text"),
    ],
)
def test_a_faulty_cell_is_named_with_line_column_and_what_is_allowed(tmp_path, column, cell, expected):
    row = dict(zip(HEADER.split(","), GOOD[1].split(","), strict=True), **{column: cell})
    path = tmp_path / "mine.csv"
    pd.DataFrame([dict(zip(HEADER.split(","), GOOD[0].split(","), strict=True)), row]).to_csv(path, index=False)
    message = refusal(path)
    assert f"{path} line 3, column '{column}'" in message
    assert expected in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the file is empty"),
        (HEADER + "\n", "a header and no row"),
        ("\n".join([HEADER, GOOD[0], GOOD[0]]), "line 3, column 'product': 'm7' is already on line 2"),
        ("\n".join([HEADER.replace("price", "prices"), GOOD[0]]), "is missing; rename 'prices'"),
        ("\n".join([HEADER.replace(",price", ""), GOOD[0].rsplit(",", 1)[0]]), "is missing; add it"),
        ("\n".join([HEADER + ",units", GOOD[0] + ",5"]), "column 'units' appears 2 times"),
        ("\n".join([HEADER + ",windowunits", GOOD[0] + ",5"]), "did you mean 'window_units'?"),
        ("\n".join([HEADER, GOOD[0] + ",9"]), "line 2: 10 cells where the header has 9"),
        ("\n".join([HEADER, '"m7,AITO']), "not readable as CSV"),
        (HEADER.replace(",", ";") + "\n" + GOOD[0].replace(",", ";"), "separate the cells with commas"),
        ("\n".join([HEADER + ",window_units", GOOD[0] + ",0"]), "column 'window_units': every row is 0"),
        ("\n".join([HEADER + ",nameplates", GOOD[0] + ",1.5"]), "a whole number of at least 1"),
        ("\n".join([HEADER + ",pooled", GOOD[0] + ",yes"]), "must be 0 or 1"),
        ("\n".join([HEADER + ",first_month", GOOD[0] + ",2023-13"]), "a month such as 2023-12"),
    ],
)
def test_a_faulty_file_is_refused_in_one_line(tmp_path, content, expected):
    path = tmp_path / "mine.csv"
    path.write_text(content, encoding="utf-8")
    assert expected in refusal(path)


def test_a_line_number_counts_the_lines_of_the_file_not_its_rows(tmp_path):
    path = written(tmp_path, '"m7","AITO\nx",Seres,Seres,erev,C,huawei,68000,250', "", GOOD[1].replace("279", "0"))
    assert "line 5, column 'price'" in refusal(path)


def test_what_is_no_csv_file_is_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "is a folder" in refusal(tmp_path)
    assert "no such file" in refusal("x" * 5000)
    excel = tmp_path / "book.xlsx"
    excel.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    assert "not a UTF-8 text file" in refusal(excel)


def test_the_description_names_every_column_and_what_it_may_hold():
    lines = describe_market_columns().splitlines()
    assert [line.split(" ")[0] for line in lines] == [column.name for column in MARKET_COLUMNS]
    assert "one of ice, bev, phev, erev" in lines[4]
