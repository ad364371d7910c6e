"""The house rules that no other tool checks."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "evsim"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(PACKAGE.rglob("*.py"))


def floors() -> list[set[str]]:
    """Names on each floor, from the top."""
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, lazily or not."""
    package = [*path.relative_to(PACKAGE.parent).parent.parts]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def imports_any(path: Path, *unwanted: str) -> set[str]:
    """Those imports of a file that are, or are inside, one of the unwanted modules."""
    return {name for name in imported(path) if any(name == bad or name.startswith(f"{bad}.") for bad in unwanted)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_lies_on_exactly_one_floor(path):
    relative = path.relative_to(PACKAGE)
    if relative == Path("__init__.py"):
        return  # the public names, above all floors
    home = relative.parts[0].removesuffix(".py")
    assert sum(home in floor for floor in floors()) == 1, f"{home} must be named once in [tool.importlinter]"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_scenarios_knows_hydra_and_yaml(path):
    if path.relative_to(PACKAGE).parts[0] != "scenarios":
        assert not imports_any(path, "hydra", "omegaconf", "yaml")


@pytest.mark.parametrize("path", sorted((PACKAGE / "economics").rglob("*.py")), ids=lambda path: path.name)
def test_economics_knows_no_agent_file_clock_draw_parameter_or_table(path):
    unwanted = ("mesa", "pandas", "pydantic", "random", "time", "datetime", "pathlib", "os")
    assert not imports_any(path, *unwanted, "evsim.params", "evsim.streams", "evsim.data", "evsim.files")


def test_nothing_pickles_evaluates_or_instantiates_what_a_user_wrote():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not imports_any(path, "pickle", "hydra.utils", "marshal", "shelve"), path
        calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"eval", "exec"}, path


def test_no_compiled_function_gives_up_on_exact_arithmetic():
    for path in MODULES:
        keywords = {
            node.arg for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.keyword)
        }
        assert not keywords & {"fastmath"}, path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_begins_with_a_sentence_about_itself(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_constraints_pin_every_direct_requirement():
    pinned = {re.split(r"==| ;", line)[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {re.split(r"[<>=\[ ]", requirement)[0].lower() for requirement in wanted} <= pinned


def test_constraints_hold_names_versions_and_markers_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line) and "://" not in line
