"""Scenarios: composed by Hydra, checked by pydantic, refused in one line."""

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evsim import scenarios
from evsim.errors import BadRequest, EvsimError
from evsim.params import Scenario
from evsim.scenarios import differences, from_mapping, load, to_mapping
from evsim.scenarios.keys import parameters
from evsim.scenarios.library import configuration_folder

KEYS = sorted(parameters())
NUMBERS = [key for key in KEYS if parameters()[key].limits]
NAMES = scenarios.scenario_names()


def refusal(*overrides, config_dir=None) -> str:
    """The one line with which overrides are refused."""
    with pytest.raises(BadRequest) as caught:
        load("baseline", *overrides, config_dir=config_dir)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


def test_the_baseline_is_every_declared_default():
    assert load() == Scenario()


def test_the_issue_names_these_scenarios():
    asked = "baseline history_2022 no_alliance waning_subsidies extended_subsidies software_gap_closes open_platform"
    assert {*asked.split(), "price_war", "rival_leap"} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "baseline"])
def test_a_scenario_file_holds_only_what_differs_from_the_defaults(name):
    said = yaml.safe_load((configuration_folder() / "scenario" / f"{name}.yaml").read_text(encoding="utf-8"))
    stated = {
        f"{key}.{inner}" if isinstance(value, dict) else key
        for key, value in said.items()
        for inner in (value if isinstance(value, dict) else [None])
    }
    assert stated <= set(KEYS)
    assert set(differences(load(name))) == stated | {"name"}


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_says_its_question_and_source(name):
    description = scenarios.describe(name)
    assert description.question.endswith("?") and len(description.source) > 10


def test_history_2022_runs_four_years_from_the_table_of_2021():
    history = load("history_2022")
    assert (history.start, history.n_months, history.market.table) == ("2022-01", 48, "2021")


@pytest.mark.parametrize("group", ["market", "pricing", "subsidy", "modes"])
def test_every_alternative_can_be_chosen_by_its_bare_name(group):
    field = {"market": "granularity", "pricing": "rule", "subsidy": "timeline", "modes": "rule"}[group]
    for name in scenarios.alternatives(group):
        assert getattr(getattr(load("baseline", f"{group}={name}"), group), field) == name


@pytest.mark.parametrize("key", [key for key in KEYS if parameters()[key].choices])
def test_the_alternatives_on_file_are_the_choices_a_parameter_has(key):
    group = key.split(".")[0]
    if group in ("market", "pricing", "subsidy", "modes"):
        assert set(scenarios.alternatives(group)) == set(parameters()[key].choices)


def test_what_the_user_names_counts_before_what_the_scenario_sets():
    assert load("no_alliance").modes.rule == "none"
    assert load("no_alliance", "modes=open").modes.rule == "open"
    assert load("no_alliance", "modes=open", "modes.rule=timeline").modes.rule == "timeline"


def test_the_last_of_several_overrides_counts():
    assert load("baseline", "seed=1", "seed=2", "pricing=fixed", "pricing=cost_plus").pricing.rule == "cost_plus"
    assert load("baseline", "seed=1", "seed=2").seed == 2
    assert load("baseline", "scenario=price_war").name == "price_war"


def test_seed_zero_is_a_seed():
    assert load("baseline", "seed=0").seed == 0


def written(value) -> str:
    """A value as one writes it on the command line: names in a list of instruments or brands stand without quotes."""
    if isinstance(value, list):
        return f"[{', '.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {written(item)}' for name, item in value.items())}}}"
    return json.dumps(value)


def test_every_key_can_be_overridden_with_its_own_value_without_a_plus():
    overrides = [f"{key}={written(parameter.default)}" for key, parameter in parameters().items()]
    assert load("baseline", *overrides) == Scenario()
    assert load("price_war", *(f"++{override}" for override in overrides)) == Scenario()


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_survives_the_way_to_plain_data_and_back(name):
    assert from_mapping(to_mapping(load(name))) == load(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_written_out_can_be_loaded_from_a_folder_of_ones_own(name, tmp_path):
    (tmp_path / "scenario").mkdir()
    (tmp_path / "scenario" / "mine.yaml").write_text(scenarios.as_yaml(load(name)), encoding="utf-8")
    assert load("mine", config_dir=tmp_path) == load(name)


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/我的 表.csv",
        "表.csv",
        "a b.csv",
        "~/t.csv",
        "/tmp/t(1).csv",
        "a=b.csv",
        "it's.csv",
        'a"b.csv',
        "C:\\t\\",
        "2023",
    ],
)
def test_a_path_is_taken_as_written(path):
    assert load("baseline", f"market.table={path}").market.table == path


def test_a_path_in_quotes_may_hold_a_comma():
    assert load("baseline", "market.table='/tmp/a, b.csv'").market.table == "/tmp/a, b.csv"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1).filter(lambda text: "${" not in text))
def test_any_printable_text_in_quotes_arrives_as_it_is(text):
    from hydra.core.override_parser.types import Quote, QuotedString

    quoted = QuotedString(text, Quote.double).with_quotes()
    assert load("baseline", f"name={quoted}").name == text


def test_a_list_may_hold_chinese_names():
    scenario = load("baseline", "market.keep_brands=[问界, Tesla, 'Li Auto']")
    assert scenario.market.keep_brands == ("问界", "Tesla", "Li Auto")


def test_an_instrument_of_ones_own_is_read_from_the_command_line():
    text = "subsidy.instruments=[{kind: per_unit, name: bonus, start: 2024-01, amount_kcny: 10}]"
    (bonus,) = load("baseline", text).subsidy.instruments
    assert (bonus.kind, bonus.start, bonus.amount_kcny) == ("per_unit", "2024-01", 10.0)


def test_whole_numbers_may_be_written_as_1e5_and_none_as_a_word():
    scenario = load("extended_subsidies", "consumers.count=1e5", "subsidy.hold_from=none")
    assert scenario.consumers.count == 100_000 and scenario.subsidy.hold_from is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("software.advantage_kncy", "software.advantage_kcny"),
        ("advantage_kcny", "software.advantage_kcny"),
        ("Consumers.Count", "consumers.count"),
        ("consumer.count", "consumers.count"),
        ("pricing.rules", "pricing.rule"),
        ("sead", "seed"),
    ],
)
def test_an_unknown_key_names_the_nearest(wrong, right):
    message = refusal(f"{wrong}=1")
    assert wrong in message and right in message


def mapping_of(key, value):
    """The mapping that sets one key."""
    for name in reversed(key.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize("key", NUMBERS)
def test_a_value_outside_its_range_is_refused_with_key_value_and_range(key):
    parameter = parameters()[key]
    for name, limit in parameter.limits.items():
        value = limit + {"ge": -1, "gt": 0, "le": 1, "lt": 0}[name] * max(1, abs(limit) // 10)
        with pytest.raises(BadRequest) as caught:
            from_mapping(mapping_of(key, value))
        assert str(caught.value).startswith(f"{key}={value!r}: must be ") and repr(limit) in str(caught.value)


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "abc", True, [1], {"a": 1}, "1", "???"])
def test_a_number_is_a_finite_number(key, value):
    with pytest.raises(BadRequest, match=f"^{key}="):
        from_mapping(mapping_of(key, value))


@pytest.mark.parametrize("key", ["seed", "lock_in.switching_cost", "software.advantage_kcny"])
@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "NaN", "-.inf", "abc", "true", "[1]", "{a: 1}", "'1'", "???", "1e999"]
)
def test_a_number_on_the_command_line_is_a_finite_number(key, value):
    assert refusal(f"{key}={value}").startswith(f"{key}=")


def test_values_of_a_mapping_are_as_strict():
    for value in (math.nan, math.inf, True, "3", 3.5, None, [3], 10**400):
        with pytest.raises(BadRequest, match="seed"):
            from_mapping({"seed": value})
    with pytest.raises(BadRequest, match="did you mean|nearest is seed"):
        from_mapping({"sead": 3})
    with pytest.raises(BadRequest, match="group of parameters"):
        from_mapping({"software": 3})


@pytest.mark.parametrize(
    ("override", "fragment"),
    [
        ("start=2024-13", "YYYY-MM"),
        ("end=2020-01", "before start"),
        ("end=2099-12", "600"),
        ("market=huge", "compact, full"),
        ("pricing=nahs", "nash"),
        ("pricing.rule=nahs", "did you mean nash"),
        ("scenario=price_wars", "did you mean price_war"),
        ("scenario=../baseline", "must be one of"),
        ("scenario=/etc/passwd", "must be one of"),
        ("scenario=null", "must be one of"),
        ("software=5", "group of parameters"),
        ("software.leap_platform=Tesla", "software.leap_month"),
        ("market.seasonality=1", "true or false"),
        ("market.keep_brands=Tesla", "a list"),
        ("market.keep_brands=[1]", "market.keep_brands.0"),
        ("market.table=[a]", "text"),
        ("subsidy.instruments=[{kind: gift}]", "subsidy.instruments.0"),
        ("seed=1,2", "evsim sweep"),
        ("seed=range(1,4)", "evsim sweep"),
        ("pricing=nash,fixed", "evsim sweep"),
        ("scenario=choice(baseline,price_war)", "evsim sweep"),
        ("consumers.count=interval(100,200)", "evsim sweep"),
        ("hydra.run.dir=/tmp", "Hydra's own"),
        ("hydra/launcher=basic", "Hydra's own"),
        ("+hydra.searchpath=[file:///tmp]", "Hydra's own"),
        ("~seed", "default"),
        ("~seed=1", "default"),
        ("seed", "give a value"),
        ("seed=", "give a value"),
        ("price_war", "key=value"),
        ("name=${oc.env:HOME}", "interpolation"),
        ("name='${seed}'", "interpolation"),
        ("software._target_=os.system", "unknown key"),
        ("_target_=os.system", "unknown key"),
        ("subsidy.instruments=[{_target_: os.system, kind: per_unit}]", "subsidy.instruments"),
        ("market@pricing=full", "unknown key"),
        ("name=a\nb", "printed"),
        ("name=\udc80", "printed"),
        ("seed=" + "9" * 5_000, "whole number"),
        ("seed=" + "[" * 5_000, "whole number"),
        ("name=" + "a" * 50_000, "longer"),
    ],
)
def test_a_bad_override_is_refused_in_one_line_that_says_what_is_right(override, fragment):
    assert fragment in refusal(override)


ANYTHING = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[-+0-9a-z.,()\[\]{}:'\"$%\\ ]{0,20}", fullmatch=True),
    st.sampled_from(
        ["nan", "-inf", "1e309", "null", "[]", "{}", "'", "int(a)", "sort(1,a)", "glob(*)", "json_str(1)", "2024-01"]
    ),
)


@given(
    st.one_of(st.sampled_from(KEYS), st.sampled_from(["market", "scenario", "hydra", "software"]), ANYTHING), ANYTHING
)
def test_any_override_gives_a_scenario_or_one_line(key, value):
    try:
        scenario = load("baseline", f"{key}={value}")
    except BadRequest as error:
        assert "\n" not in str(error) and len(str(error)) < 1_000
    else:
        assert from_mapping(to_mapping(scenario)) == scenario


@given(
    st.sampled_from(KEYS), st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists)
)
def test_any_mapping_gives_a_scenario_or_one_line(key, value):
    try:
        scenario = from_mapping(mapping_of(key, value))
    except BadRequest as error:
        assert "\n" not in str(error) and len(str(error)) < 1_000
    else:
        assert from_mapping(to_mapping(scenario)) == scenario


@pytest.fixture
def own(tmp_path):
    """A folder of one's own whose scenario `mine` says what it is given."""
    folder = tmp_path / "my scenarios 我的" / "conf's"
    (folder / "scenario").mkdir(parents=True)

    def write(text, name="mine", header="# @package _global_\n"):
        (folder / "scenario" / f"{name}.yaml").write_text(header + text, encoding="utf-8")
        return folder

    return write


def test_a_scenario_of_ones_own_is_loaded_listed_and_described(own):
    folder = own(
        "# Question: What\n#   then?\n# Source: me\nmarket: {table: 2021}\nsoftware:\n  advantage_kcny: 30\n",
        "我的 world",
    )
    scenario = load("我的 world", config_dir=folder)
    assert (scenario.name, scenario.market.table, scenario.software.advantage_kcny) == ("我的 world", "2021", 30.0)
    assert "我的 world" in scenarios.scenario_names(folder)
    assert scenarios.describe("我的 world", folder) == scenarios.Description("我的 world", "What then?", "me")


def test_a_scenario_of_ones_own_may_build_on_others(own):
    own("seed: 5\nname: My world\n", "first")
    folder = own("defaults:\n  - price_war\n  - first\npricing: {rule: fixed}\nend: 2030-12\n")
    scenario = load("mine", config_dir=folder)
    assert (scenario.seed, scenario.pricing.rule, scenario.pricing.war_start) == (5, "fixed", "2024-01")
    assert load("mine", "pricing=nash", config_dir=folder).pricing.rule == "nash"


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("sead: 1\n", "seed"),
        ("software: {advantage: 1}\n", "software.advantage_kcny"),
        ("software: 5\n", "group of parameters"),
        ("software: {_target_: os.system}\n", "unknown key software._target_"),
        ("seed: abc\n", "whole number"),
        ("market: {growth: .nan}\n", "market.growth=nan"),
        ("market: {growth: .inf}\n", "market.growth=inf"),
        ("seed: 010\n", "leading zero"),
        ("seed: 12:30\n", "misreads"),
        ("name: NO\n", "name=false"),
        ("seed: 1\nseed: 2\n", "duplicate key"),
        ("seed: [\n", "line"),
        ("- seed\n", "mapping"),
        ("just text\n", "mapping"),
        ("1: 2\n", "mapping"),
        ("hydra: {run: {dir: /tmp}}\n", "hydra"),
        ("name: ${oc.env:HOME}\n", "interpolation"),
        ("name: !!python/object/apply:os.system [ls]\n", "tags"),
        (BOMB, "aliases"),
        ("market: " + "{a: " * 40 + "1" + "}" * 40 + "\n", "deep"),
        ("defaults: [nowhere]\n", "scenario=nowhere"),
        ("defaults: [mine]\n", "builds on itself"),
        ("defaults: [../../etc/passwd]\n", "defaults"),
        ("defaults:\n  - override /hydra/launcher: basic\n", "defaults"),
        ("defaults: nowhere\n", "nowhere"),
        ("x: " + "y" * 1_000_001, "larger"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(own, text, fragment):
    assert fragment in refusal("scenario=mine", config_dir=own(text))


def test_a_file_that_is_not_text_is_refused(own):
    folder = own("")
    (folder / "scenario" / "mine.yaml").write_bytes(b"# @package _global_\nname: \xff\xfe\n")
    assert "UTF-8" in refusal("scenario=mine", config_dir=folder)


def test_a_file_without_its_header_is_told_so(own):
    assert "# @package _global_" in refusal("scenario=mine", config_dir=own("seed: 1\n", header=""))
    assert "# @package _global_" in refusal("scenario=mine", config_dir=own("seed: 1\n", header="# @package hydra\n"))


def test_a_file_may_not_hide_a_scenario_of_evsim(own):
    assert "baseline" in refusal("scenario=baseline", config_dir=own("seed: 1\n", "baseline"))


def test_a_missing_folder_is_refused(tmp_path):
    assert "no such folder" in refusal(config_dir=tmp_path / "nowhere")


@given(st.text())
def test_any_file_gives_a_scenario_or_one_line(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("own")
    (folder / "scenario").mkdir()
    (folder / "scenario" / "mine.yaml").write_text(f"# @package _global_\n{text}", encoding="utf-8", errors="replace")
    try:
        load("mine", config_dir=folder)
    except EvsimError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_explains_itself(key):
    parameter = parameters()[key]
    assert (
        parameter.meaning
        and parameter.unit
        and parameter.source
        and parameter.role in ("lever", "structure", "setting")
    )
    text = scenarios.explain(key)
    assert all(part in text for part in (key, parameter.meaning, parameter.unit, parameter.source))


def test_a_group_of_parameters_explains_all_its_keys():
    assert all(key in scenarios.explain("pricing") for key in KEYS if key.startswith("pricing."))


def test_the_overview_names_every_group_and_its_alternatives():
    text = scenarios.explain()
    assert all(f"{name}.*" in text for name in ("market", "consumers", "software", "battery"))
    assert "market=compact|full" in text


def test_explaining_the_market_table_lists_its_columns():
    text = scenarios.explain("market.table")
    assert all(column in text for column in ("powertrain", "units", "price", "automaker"))


def test_explaining_instruments_tells_every_kind():
    text = scenarios.explain("subsidy.instruments")
    assert all(kind in text for kind in ("per_unit", "ad_valorem", "tax_exemption", "amount_kcny"))


def test_explaining_an_unknown_key_names_the_nearest():
    with pytest.raises(BadRequest, match=r"pricing\.rule"):
        scenarios.explain("pricing.rul")
