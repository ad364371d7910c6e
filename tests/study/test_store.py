"""What is in a store stays in it, or is noticed to be missing."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from study.studies import QUIET, driven, made, stub

import evsim
from evsim.errors import BadRequest, StorageError
from evsim.study import Store, drive, driver, latest_store, read, store


@pytest.fixture
def small_shards(monkeypatch):
    """A shard for every handful of runs."""
    monkeypatch.setattr(driver, "SHARD_RUNS", 5)


def test_a_store_read_again_gives_the_same_tables(tmp_path):
    first = driven(tmp_path, keep="panel")
    again = read(first.path)
    assert again.results().equals(first.results()) and again.panel("years").equals(first.panel("years"))
    assert again.digest == first.digest
    assert evsim.read is read


def test_a_row_has_its_place_in_the_design_and_what_its_run_gave(tmp_path):
    results = driven(tmp_path, scales="0.5,1").results()
    assert (results["alliance_share"] == results["subsidy.scale"] / (1.0 + results["seed"])).all()
    assert results["repeat_rate"].isna().all()
    assert list(results.columns[:4]) == ["run", "point", "seed", "subsidy.scale"]


def test_a_share_of_a_name_that_sold_nothing_is_nought(tmp_path):
    results = driven(tmp_path).results()
    assert (results["automaker_share.BYD"] + results["automaker_share.Seres"] == 0.25).all()


def test_columns_of_results_have_unit_and_description(tmp_path):
    attributes = driven(tmp_path).results().attrs
    assert attributes["units"]["mean_price"] == "kCNY"
    assert attributes["descriptions"]["automaker_share.BYD"].startswith("BYD's share of cars")


def test_what_waits_for_a_shard_and_what_is_in_one_are_read_alike(tmp_path, small_shards):
    whole = driven(tmp_path, keep="panel")
    part = made(tmp_path, keep="panel")
    with part.driving(stub("null")) as driver:
        assert list(driver.missing()) == list(range(20))
    drive(part, QUIET, stub("null"), runs=range(12))
    assert part.results().equals(whole.results().head(12))
    years = part.panel("years", ["units"])
    assert years.equals(whole.panel("years")[["run", "units"]].head(24))
    assert years["units"].isna().sum() == 12


def test_means_are_over_replications_of_every_combination_of_levers(tmp_path):
    means = driven(tmp_path, replications=3).means()
    assert list(means.index) == [0.0, 1.0]
    assert means["alliance_share"][1.0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_store_shows_itself_in_a_notebook(tmp_path):
    shown = driven(tmp_path)._repr_html_()
    assert "20 of 20 runs done" in shown and "alliance_share" in shown


@pytest.mark.parametrize("damage", ["torn", "changed", "missing"])
def test_a_damaged_shard_is_noticed_and_its_runs_alone_are_repeated(tmp_path, small_shards, damage):
    sound = driven(tmp_path, "slow")
    digest, results = sound.digest, sound.results()
    (tmp_path / "notes").unlink()
    victim = sorted((sound.path / "shards").iterdir())[1]
    content = victim.read_bytes()
    victim.unlink()
    if damage != "missing":
        victim.write_bytes(content[:-100] if damage == "torn" else content[:50] + b"?" + content[51:])
    (number,) = sound.damaged()
    with pytest.raises(StorageError, match=r"damaged; .*--resume|cannot read"):
        sound.results()
    assert drive(sound, QUIET, stub("slow")).digest == digest
    assert sound.results().equals(results) and sound.damaged() == []
    repeated = len((tmp_path / "notes").read_text().splitlines())
    assert number == 2 and 0 < repeated < 20


def test_files_that_a_kill_left_behind_are_cleared_away(tmp_path):
    torn = driven(tmp_path)
    (torn.path / "shards" / "000009.rows.parquet").write_bytes(b"half a shard")
    (torn.path / "shards" / ".000010.rows.parquet.1234.partial").write_bytes(b"less")
    results = torn.results()
    drive(torn, QUIET, stub("null"))
    assert [path.name for path in (torn.path / "shards").iterdir()] == ["000001.rows.parquet"]
    assert torn.results().equals(results)


def test_two_drivers_on_one_store_are_refused(tmp_path):
    busy = made(tmp_path)
    with busy.driving(stub("null")):
        assert Store.open(busy.path).is_driven()
        with pytest.raises(BadRequest, match="another driver is at work"):
            drive(Store.open(busy.path), QUIET, stub("null"))
        assert busy.counts().entered == 0
    assert not busy.is_driven()
    assert drive(busy, QUIET, stub("null")).counts().done == 20


def test_a_store_of_another_version_is_refused(tmp_path):
    other = made(tmp_path)
    about = json.loads((other.path / "store.json").read_text())
    (other.path / "store.json").write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(BadRequest, match="version 99; this evsim reads version 1"):
        Store.open(other.path)


def test_runs_of_two_models_do_not_get_into_one_store(tmp_path, monkeypatch):
    older = made(tmp_path)
    monkeypatch.setattr(store, "model_digest", lambda: "another")
    with pytest.raises(BadRequest, match=r"evsim has changed since.*new sweep"):
        drive(older, QUIET, stub("null"))


def test_a_market_table_that_changed_meanwhile_is_refused(tmp_path):
    table = tmp_path / "table.csv"
    rows = [
        "product,brand,automaker,group,powertrain,size_class,platform,units,price",
        "a,Alpha,Alpha Motors,Alpha,ice,A,supplier,400000,120",
        "b,Beta,Beta Motors,Beta,bev,B,Beta,300000,200",
    ]
    table.write_text("\n".join(rows) + "\n")
    from evsim.study import design_of

    mine = Store.create(tmp_path, design_of(f"market.table='{table}'", "subsidy.scale=0,1"), stub("null"))
    drive(mine, QUIET, stub("null"), runs=[0])
    table.write_text("\n".join([*rows, "c,Gamma,Gamma Motors,Gamma,bev,B,Gamma,300000,150"]) + "\n")
    with pytest.raises(BadRequest, match="your market table has changed"):
        drive(mine, QUIET, stub("null"))


@pytest.mark.parametrize("name", ["design.json", "design.parquet"])
def test_a_design_that_was_tampered_with_is_refused(tmp_path, name):
    mine = made(tmp_path)
    path = mine.path / name
    if name == "design.json":
        path.write_text(path.read_text().replace('"scale": 1.0', '"scale": 1.5'))
    else:
        frame = pd.read_parquet(path)
        frame["subsidy.scale"] = np.where(frame["point"] == 1, 1.5, 0.0)
        frame.to_parquet(path)
    with pytest.raises(StorageError, match="changed or damaged"):
        drive(Store.open(mine.path), QUIET, stub("null"))


def test_a_folder_without_its_last_file_is_no_store(tmp_path):
    half = made(tmp_path)
    (half.path / "store.json").unlink()
    with pytest.raises(BadRequest, match="no store lies here"):
        Store.open(half.path)


def test_a_store_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "save_design", _full_disk)
    with pytest.raises(StorageError):
        made(tmp_path)
    assert os.listdir(tmp_path) == []


def _full_disk(folder, design):
    raise StorageError("cannot write: No space left on device")


def test_the_latest_store_is_the_one_made_last(tmp_path):
    with pytest.raises(BadRequest, match="no store lies under"):
        latest_store(tmp_path)
    first, second = made(tmp_path), made(tmp_path)
    os.utime(first.path / "store.json", (2e9, 2e9))
    assert latest_store(tmp_path) == first.path
    assert [first.path.name, second.path.name] == ["sweep-1", "sweep-2"]
    assert latest_store(tmp_path, second.design) == first.path
    assert latest_store(tmp_path, made(tmp_path, scales="0,3").design).name == "sweep-3"


def test_a_table_that_was_not_kept_is_refused_by_name(tmp_path):
    summary = driven(tmp_path)
    with pytest.raises(BadRequest, match="--keep panel"):
        summary.panel("years")
    with pytest.raises(BadRequest, match="must be one of months, years"):
        summary.panel("days")
