"""The model as a Mesa user expects it, on Mesa 3.3 and 3.5."""

import gc
import json
import subprocess
import sys
import weakref

import mesa
import numpy as np
import pytest
from small_market import small_scenario

import evsim.simulation
from evsim.agents import AllianceOEM, Consumer, Government, Incumbent, Independent, Orchestrator
from evsim.model import ACCOUNTS, HEADLINE, EVMarket

FIRMS = (AllianceOEM, Incumbent, Independent)


@pytest.fixture(scope="module")
def ran() -> EVMarket:
    """A market at its end, that no test changes."""
    model = EVMarket(small_scenario(), rng=3)
    model.run_model()
    return model


def test_a_step_is_a_month_and_the_model_stops_at_the_scenarios_end():
    model = EVMarket(small_scenario(), rng=3)
    seen = [(model.steps, model.market.month, model.running)]
    while model.running:
        model.step()
        seen.append((model.steps, model.market.month, model.running))
    assert seen == [(0, 0, True), (1, 1, True), (2, 2, True), (3, 3, False)]


def test_run_model_goes_where_steps_go(ran):
    stepped = EVMarket(small_scenario(), rng=3)
    for _ in range(3):
        stepped.step()
    assert ran.steps == 3 and not ran.running
    for name, column in ran.record["market"].items():
        np.testing.assert_array_equal(stepped.record["market"][name], column)


def test_rng_replaces_the_scenarios_seed_also_when_it_is_zero():
    scenario = small_scenario().model_copy(update={"seed": 9})
    assert EVMarket(scenario).market.scenario.seed == 9
    assert EVMarket(scenario, rng=0).market.scenario.seed == 0


def test_another_seed_gives_another_market(ran):
    other = EVMarket(small_scenario(), rng=4)
    other.run_model()
    assert not np.array_equal(other.record["market"]["units"], ran.record["market"]["units"])


def test_mesas_own_generators_are_never_drawn_from():
    model = EVMarket(small_scenario(), rng=3)
    before = model.random.getstate(), model.rng.bit_generator.state
    model.run_model()
    assert (model.random.getstate(), model.rng.bit_generator.state) == before


def test_the_collected_headline_is_the_recorders_month_by_month(ran):
    frame = ran.datacollector.get_model_vars_dataframe()
    assert list(frame.columns) == list(HEADLINE) and len(frame) == 3
    for name in HEADLINE:
        np.testing.assert_array_equal(frame[name], ran.record["headline"][name][1:])  # month 0 is the base date


def test_the_collected_accounts_are_the_firms_own(ran):
    table = ran.record["automakers"]
    units = 0.0
    for kind in FIRMS:
        frame = ran.datacollector.get_agenttype_vars_dataframe(kind)
        makers = len(ran.agents_by_type[kind])
        assert makers > 0 and len(frame) == 3 * makers
        units += frame["deliveries"].sum()
        for month in (1, 2, 3):
            rows = frame.xs(month, level="Step").set_index("name")
            recorded = table["month"] == f"2024-{month:02d}"
            for maker, profit, cash in zip(
                *(table[name][recorded] for name in ("automaker", "profit", "cash")), strict=True
            ):
                if maker in rows.index:
                    assert (rows.loc[maker, "profit"], rows.loc[maker, "cash"]) == (profit, cash)
    assert units == pytest.approx(ran.record["headline"]["units"][1:].sum())


def test_no_account_hides_a_headline_series_where_mesa_puts_both_in_one_row():
    assert not set(ACCOUNTS) & set(HEADLINE)


def test_every_kind_of_agent_is_listed_by_type(ran):
    by_type = ran.agents_by_type
    assert set(by_type) == {*FIRMS, Government, Orchestrator, Consumer} == set(ran.agent_types)
    assert all(isinstance(agent, kind) for kind, agents in by_type.items() for agent in agents)
    assert len(by_type[Government]) == len(by_type[Orchestrator]) == 1
    assert len(by_type[Consumer]) == 600
    assert sum(len(agents) for kind, agents in by_type.items() if kind is not Consumer) == len(ran.agents)
    assert sorted(agent.unique_id for agent in ran.agents) == list(range(1, len(ran.agents) + 1))


def test_a_users_own_collector_reports_consumers():
    model = EVMarket(small_scenario(count=200), rng=3)
    collector = mesa.DataCollector(agenttype_reporters={Consumer: {"car": "car", "tenure": lambda agent: agent.tenure}})
    for _ in range(2):
        model.step()
        collector.collect(model)
    frame = collector.get_agenttype_vars_dataframe(Consumer)
    assert len(frame) == 400
    assert frame.xs(2, level="Step")["tenure"].tolist() == model.consumers.get("tenure").tolist()
    cars = frame.xs(2, level="Step")["car"]
    assert cars.astype(object).where(cars.notna(), None).tolist() == model.consumers.get("car").tolist()


def test_an_agent_of_ones_own_joins_with_a_number_of_its_own():
    model = EVMarket(small_scenario(count=200), rng=3)
    model.step()
    agent = mesa.Agent(model)
    assert agent in model.agents and agent.unique_id == len(model.agents)
    model.step()
    agent.remove()
    assert agent not in model.agents


def is_gone(reference: weakref.ref) -> bool:
    gc.collect()
    return reference() is None


@pytest.mark.parametrize("months", [0, 1, 3])
def test_no_model_stays_alive_however_far_it_ran(months):
    model = EVMarket(small_scenario(count=300), rng=3, threads=2)
    for _ in range(months):
        model.step()
    model.consumers.select(lambda consumer: consumer.car is None).do("decide")
    model.datacollector.get_model_vars_dataframe()
    reference = weakref.ref(model)
    del model
    assert is_gone(reference)


def test_a_model_that_failed_does_not_stay_alive(monkeypatch):
    references = []

    def fail(self):
        references.append(weakref.ref(self.model))
        raise ArithmeticError("the month went wrong")

    monkeypatch.setattr(Government, "announce", fail)
    with pytest.raises(ArithmeticError):
        EVMarket(small_scenario(count=300), rng=3).run_model()
    assert is_gone(references[0])


def test_a_run_leaves_no_model_behind(monkeypatch):
    references = []

    class Watched(EVMarket):
        def step(self):
            references.append(weakref.ref(self))
            super().step()

    monkeypatch.setattr(evsim.simulation, "EVMarket", Watched)
    run = evsim.simulation.run(small_scenario(count=300), seed=3)
    assert run is not None and len(references) == 3
    assert is_gone(references[0])


BATCH = """
import gc, inspect, json, sys
import mesa
from evsim.model import HEADLINE, EVMarket
from evsim.params import Scenario

if __name__ == "__main__":
    scenarios = {"scenario": [Scenario.model_validate_json(sys.argv[1])]}  # in a list: batch_run iterates what it can
    how = dict(number_processes=int(sys.argv[2]), data_collection_period=1, display_progress=False)
    if "rng" in inspect.signature(mesa.batch_run).parameters:  # Mesa 3.5
        rows = mesa.batch_run(EVMarket, scenarios, rng=[3, 4], **how)
    else:
        rows = mesa.batch_run(EVMarket, scenarios | {"rng": [3, 4]}, **how)
    gc.collect()
    alive = sum(isinstance(thing, EVMarket) for thing in gc.get_objects())
    months = {(row["rng"], row["Step"]): [row[name] for name in HEADLINE] for row in rows}  # 3.5: a row for each firm
    print(json.dumps({"months": sorted(months.items()), "alive": alive}))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run_gives_each_seeds_months_and_keeps_no_model(ran, tmp_path, processes):
    script = tmp_path / "batch.py"
    script.write_text(BATCH, encoding="utf-8")
    command = [sys.executable, str(script), small_scenario().model_dump_json(), str(processes)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)
    assert [seed for (seed, _), _ in answer["months"]] == [3, 3, 3, 4, 4, 4]
    expected = np.column_stack([ran.record["headline"][name][1:] for name in HEADLINE])
    np.testing.assert_array_equal([values for _, values in answer["months"][:3]], expected)
    assert not np.array_equal([values for _, values in answer["months"][3:]], expected)
    assert answer["alive"] == 0
