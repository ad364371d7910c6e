"""Files are written whole or not at all; names stay inside their folder."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.errors import StorageError
from evsim.files import new_run_folder, safe_name, whole_folder, write_whole


def tree(folder):
    """Every path below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_holds_what_was_written(tmp_path):
    write_whole(tmp_path / "a.txt", b"one")
    write_whole(tmp_path / "b.txt", lambda file: file.write(b"two"))
    assert (tmp_path / "a.txt").read_bytes() == b"one"
    assert (tmp_path / "b.txt").read_bytes() == b"two"


def test_a_write_that_fails_halfway_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    write_whole(path, b"former")

    def halfway(file):
        file.write(b"new, but ")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_whole(path, halfway)
    assert path.read_bytes() == b"former"
    assert tree(tmp_path) == ["table.csv"]


def test_a_full_disk_is_storage_trouble_in_one_line(tmp_path):
    def full(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device") as caught:
        write_whole(tmp_path / "table.csv", full)
    assert "table.csv" in str(caught.value) and "\n" not in str(caught.value)
    assert tree(tmp_path) == []


def test_a_file_in_a_missing_folder_is_storage_trouble(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "a.txt", b"one")


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "whole", b"")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_run_folders_are_numbered_and_appear_only_when_whole(tmp_path):
    for number in (1, 2):
        with new_run_folder(tmp_path / "outputs", "baseline", 0) as folder:
            write_whole(folder.path / "a.csv", b"a")
            assert folder.final is None
            assert f"baseline-seed0-{number}" not in os.listdir(tmp_path / "outputs")
        assert folder.final == tmp_path / "outputs" / f"baseline-seed0-{number}"
    assert tree(tmp_path / "outputs") == [
        "baseline-seed0-1",
        "baseline-seed0-1/a.csv",
        "baseline-seed0-2",
        "baseline-seed0-2/a.csv",
    ]


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_run_that_ends_early_leaves_nothing_not_even_the_base_folder_made_for_it(tmp_path, trouble):
    with pytest.raises(trouble), new_run_folder(tmp_path / "new" / "outputs", "baseline", 0) as folder:
        write_whole(folder.path / "a.csv", b"a")
        raise trouble
    assert tree(tmp_path) == []


def test_a_run_that_ends_early_leaves_what_was_there_before(tmp_path):
    with new_run_folder(tmp_path, "baseline", 0):
        pass
    with pytest.raises(ValueError), new_run_folder(tmp_path, "baseline", 0):
        raise ValueError
    assert tree(tmp_path) == ["baseline-seed0-1"]


def test_runs_at_the_same_time_get_different_folders(tmp_path):
    def make(number):
        with new_run_folder(tmp_path, "baseline", 0) as folder:
            write_whole(folder.path / f"{number}.txt", b"")
        return folder.final

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(make, range(16)))
    assert len(set(folders)) == 16
    assert all(len(os.listdir(folder)) == 1 for folder in folders)


def test_a_base_that_is_a_file_is_storage_trouble_before_anything_runs(tmp_path):
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(StorageError, match="outputs"), new_run_folder(tmp_path / "outputs", "baseline", 0):
        pytest.fail("the block must not start")
    assert tree(tmp_path) == ["outputs"]


@given(st.text())
def test_no_name_leaves_its_folder_or_hides(name):
    safe = safe_name(name)
    assert safe and not safe.startswith(".") and "/" not in safe and "\\" not in safe and "\0" not in safe
    assert len(safe.encode()) <= 150


def test_a_chinese_name_stays_readable():
    assert safe_name("../我的 世界") == "我的_世界"


def test_a_whole_folder_takes_the_place_of_the_former_one(tmp_path):
    for content in ("first", "second"):
        with whole_folder(tmp_path / "analysis") as folder:
            (folder / content).write_text(content)
            assert not (tmp_path / "analysis" / content).exists()
        assert [path.name for path in tmp_path.rglob("*")] == ["analysis", content]


def test_a_whole_folder_that_is_not_finished_leaves_the_former_one(tmp_path):
    with whole_folder(tmp_path / "analysis") as folder:
        (folder / "first").write_text("first")
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "analysis") as folder:
        (folder / "second").write_text("second")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == ["analysis", "first"]
    with pytest.raises(StorageError), whole_folder(tmp_path / "no" / "where"):
        pass
