"""The notebooks run from top to bottom, and each is the same as the script beside it."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "experiments" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


def test_there_are_three():
    assert NAMES == ["first_look", "lock_in_explained", "sweep_plotted"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_the_cells_of_its_script(name):
    script, notebook = jupytext.read(FOLDER / f"{name}.py"), nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_something(name, tmp_path):
    source = jupytext.read(FOLDER / f"{name}.py")
    for cell in source.cells:  # smaller still
        cell.source = cell.source.replace("consumers.count=20000", "consumers.count=1000").replace("2028-12", "2025-03")
        cell.source = cell.source.replace("replications=3", "replications=2").replace("0,30,60,90", "0,60")
        cell.source = cell.source.replace("consumers.count=4000", "consumers.count=1000").replace("2027-12", "2024-06")
    NotebookClient(source, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in source.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "error" for output in outputs)
