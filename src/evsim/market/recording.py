"""The tables of a run, month by month, as plain columns; their meaning and units are in `evsim.tables`."""

import numpy as np

from ..data.market import POWERTRAINS, SIZE_CLASSES
from ..economics.metrics import hhi
from ..params import month_name, month_number
from .accounts import Books, MonthAccounts
from .offers import MODE, MODES
from .pricing import fees
from .progress import software_advantage
from .state import Market, Outcome
from .surplus import GROUPS
from .use import monthly_tons

CAMPS = ("alliance", "independent", "incumbent")
FIRST_CAR = "first car"  # where a buyer without a car comes from


class Recorder:
    """Collects columns month by month; `record` puts them together."""

    def __init__(self, market: Market):
        self.market = market
        self.parts: dict[str, list[dict]] = {}
        self.alliance_deliveries = 0.0
        self.switches: dict[int, np.ndarray] = {}
        self.product = np.array(market.offers.product, dtype=object)
        self.brand = np.array(market.names.brands, dtype=object)
        self.automaker = np.array(market.names.automakers, dtype=object)
        self.platform = np.array(market.names.platforms, dtype=object)
        self.kind = np.array(
            [market.traits.kind.get(name, "incumbent") for name in market.names.automakers], dtype=object
        )
        self.camps = np.array(CAMPS, dtype=object)
        self.camp_of_maker = np.array(
            [CAMPS.index("incumbent" if kind == "alliance_oem" else kind) for kind in self.kind]
        )
        self.modes, self.powertrains = np.array(MODES, dtype=object), np.array(POWERTRAINS, dtype=object)
        self.size_classes = np.array(SIZE_CLASSES, dtype=object)
        groups = market.groups
        self.group = np.array([groups.get(name, name) for name in market.names.automakers], dtype=object)

    @property
    def month(self) -> str:
        """The month the market is in, YYYY-MM."""
        return month_name(month_number(self.market.scenario.start) - 1 + self.market.month)

    def base(self) -> None:
        """Month 0: the calibrated table."""
        market = self.market
        rows = market.on_sale()
        units = np.where(market.offers.on_sale, market.offers.base_units, 0.0)
        outlay = market.policy.buyer_price(0, rows).value(market.offers.price[rows])
        self._market(rows, outlay, units, units, np.zeros(len(units)))
        self._headline(rows, units, market.scenario.consumers.outside_share, np.nan, np.nan, 0.0)

    def add(self, outcome: Outcome, accounts: MonthAccounts, books: Books) -> None:
        """One simulated month."""
        market, weight = self.market, self.market.population.weight
        backlog = books.queue.waiting(weight, len(market.offers))
        seen = np.flatnonzero(market.offers.on_sale | (outcome.units > 0) | (backlog > 0))  # withdrawn, but still built
        tag = market.policy.buyer_price(market.month, seen).value(market.offers.price[seen])
        paid = accounts.treasury.buyer_price[seen]
        outlay = np.where(np.isnan(paid), tag, paid)
        self._market(seen, outlay, outcome.orders, outcome.units, backlog)
        self._automakers(accounts, books, backlog)
        self._leader_and_state(accounts)
        self._households(outcome, accounts)
        owned, stayed = self._platforms(outcome)
        brand_owners, brand_repeats = outcome.brand_repeats
        self._headline(
            seen,
            outcome.units,
            outcome.keepers / max(outcome.shoppers, 1),
            _ratio(stayed, owned),
            _ratio(brand_repeats, brand_owners),
            outcome.residual,
        )
        year = int(self.month[:4])
        self.switches[year] = self.switches.get(year, 0.0) + outcome.switches

    def units_by_platform(self, units: np.ndarray) -> np.ndarray:
        """Cars delivered by platform, `[G]`."""
        return np.bincount(self.market.offers.platform, units, len(self.market.platforms))

    def add_rows(self, table: str, columns: dict[str, list]) -> None:
        """Rows of a table that is not kept every month; no columns: no rows."""
        if columns:
            self.parts.setdefault(table, []).append(
                {name: np.array(values, dtype=_kind(values)) for name, values in columns.items()}
            )

    def _append(self, table: str, **columns) -> None:
        """Add rows to a table: one if all columns are scalars, else a scalar stands for all rows."""
        self.parts.setdefault(table, []).append(columns)

    def camp(self, rows: np.ndarray) -> np.ndarray:
        """alliance for cars sold in mode `alliance`, else the maker's kind, alliance_oem counted as incumbent; a place among
        `CAMPS`."""
        offers = self.market.offers
        return np.where(offers.mode[rows] == MODE["alliance"], 0, self.camp_of_maker[offers.automaker[rows]])

    def _market(self, rows, outlay, orders, units, backlog) -> None:
        market, offers = self.market, self.market.offers
        self._append(
            "market",
            month=self.month,
            product=self.product[rows],
            brand=self.brand[offers.brand[rows]],
            automaker=self.automaker[offers.automaker[rows]],
            kind=self.kind[offers.automaker[rows]],
            camp=self.camps[self.camp(rows)],
            platform=self.platform[offers.platform[rows]],
            mode=self.modes[offers.mode[rows]],
            powertrain=self.powertrains[offers.powertrain[rows]],
            size_class=self.size_classes[offers.size_class[rows]],
            price=offers.price[rows],
            buyer_price=outlay,
            marginal_cost=market.costs()[rows] + fees(market, rows),
            orders=orders[rows],
            units=units[rows],
            backlog=backlog[rows],
        )

    def _automakers(self, accounts: MonthAccounts, books: Books, backlog: np.ndarray) -> None:
        makers = np.bincount(self.market.offers.automaker, backlog, len(self.automaker))
        selling = np.bincount(self.market.offers.automaker, self.market.offers.on_sale, len(self.automaker)) > 0
        paying = accounts.profit != 0  # for a stack or a conversion, before the first car is on sale
        seen = np.flatnonzero(selling | paying | (makers > 0) | (accounts.units > 0))
        self._append(
            "automakers",
            month=self.month,
            automaker=self.automaker[seen],
            group=self.group[seen],
            kind=self.kind[seen],
            units=accounts.units[seen],
            revenue=accounts.revenue[seen],
            royalties=accounts.royalties[seen],
            costs=accounts.costs[seen],
            fixed_costs=accounts.fixed_costs[seen],
            rd=accounts.research[seen],
            investment=accounts.investment[seen],
            credits=accounts.credits[seen],
            profit=accounts.profit[seen],
            cash=books.cash[seen],
            capacity=books.capacity[seen],
            backlog=makers[seen],
        )

    def _leader_and_state(self, accounts: MonthAccounts) -> None:
        offers = self.market.offers
        brands = {
            mode: np.count_nonzero(np.bincount(offers.brand[offers.on_sale & (offers.mode == MODE[mode])]))
            for mode in ("alliance", "inside")
        }
        leader = accounts.royalties_received - accounts.parts_costs - accounts.leader_research
        self._append(
            "orchestrator",
            month=self.month,
            royalties=accounts.royalties_received,
            parts_costs=accounts.parts_costs,
            rd=accounts.leader_research,
            profit=leader,
            members=brands["alliance"],
            insiders=brands["inside"],
        )
        treasury = accounts.treasury
        given = [(name, kind, cars, money) for name, kind, cars, money in treasury.by_instrument if cars > 0]
        if given:
            names, kinds, cars, money = (list(column) for column in zip(*given, strict=True))
            self.add_rows(
                "benefits",
                {"month": [self.month] * len(given), "name": names, "kind": kinds, "cars": cars, "paid": money},
            )
        net = accounts.vat + treasury.purchase_tax - treasury.subsidies
        self._append(
            "government",
            month=self.month,
            vat=accounts.vat,
            purchase_tax=treasury.purchase_tax,
            tax_waived=treasury.tax_waived,
            subsidies=treasury.subsidies,
            net=net,
        )

    def _households(self, outcome: Outcome, accounts: MonthAccounts) -> None:
        groups = np.arange(1, GROUPS + 1)
        given = np.bincount(outcome.sales.income_group, accounts.treasury.given, GROUPS)
        cars = np.bincount(outcome.sales.income_group, minlength=GROUPS)
        weight = self.market.population.weight
        self._append(
            "households",
            month=self.month,
            income_group=groups,
            shoppers=outcome.surplus.shoppers,
            units=weight * cars,
            surplus=outcome.surplus.surplus,
            staying=outcome.surplus.staying,
            benefits=weight * given,
        )

    def _platforms(self, outcome: Outcome) -> tuple[float, float]:
        """Rows of the platforms table; returns owners in an ecosystem who bought, and those who stayed."""
        platforms = self.market.platforms
        units = self.units_by_platform(outcome.units)
        owners = outcome.switches[:-1].sum(axis=1)
        stayed = np.diagonal(outcome.switches[:-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            repeat = np.where(owners > 0, stayed / owners, np.nan)
        there = np.flatnonzero(~platforms.dormant)
        self._append(
            "platforms",
            month=self.month,
            platform=self.platform[there],
            ecosystem=platforms.ecosystem[there],
            quality=platforms.quality[there],
            base=platforms.fleet(self.market.month)[there],
            units=units[there],
            share=(units / max(units.sum(), 1.0))[there],
            repeat_rate=repeat[there],
        )
        return float(owners[platforms.ecosystem].sum()), float(stayed[platforms.ecosystem].sum())

    def _headline(self, rows, units, outside_share, repeat_rate, brand_repeat_rate, residual) -> None:
        market, offers = self.market, self.market.offers
        total = max(float(units.sum()), 1e-12)
        share = dict(zip(CAMPS, (np.bincount(self.camp(rows), units[rows], len(CAMPS)) / total).tolist(), strict=True))
        if market.month > 0:
            self.alliance_deliveries += share["alliance"] * total

        def herfindahl(codes) -> float:
            return hhi(np.bincount(codes, units) / total)

        self._append(
            "headline",
            month=self.month,
            units=float(units.sum()),
            alliance_share=share["alliance"],
            independent_share=share["independent"],
            incumbent_share=share["incumbent"],
            nev_penetration=float(units[offers.powertrain > 0].sum()) / total,
            mean_price=float(units @ offers.price) / total,
            outside_share=outside_share,
            repeat_rate=repeat_rate,
            brand_repeat_rate=brand_repeat_rate,
            hhi_brand=herfindahl(offers.brand),
            hhi_automaker=herfindahl(offers.automaker),
            hhi_platform=herfindahl(offers.platform),
            alliance_cumulative_deliveries=self.alliance_deliveries,
            price_residual=residual,
            software_advantage=software_advantage(market),
            pack_price=market.pack_price,
            chargers=market.chargers,
            co2=monthly_tons(market),
        )

    def record(self) -> dict[str, dict[str, np.ndarray]]:
        """All tables so far: name → column → values."""
        tables = {table: _put_together(parts) for table, parts in self.parts.items()}
        sources = np.append(self.platform, FIRST_CAR)
        rows = [
            (year, sources[i], self.platform[j], float(counts[i, j]))
            for year, counts in sorted(self.switches.items())
            for i, j in zip(*np.nonzero(counts), strict=True)
        ]
        years, before, after, buyers = zip(*rows, strict=True) if rows else ((), (), (), ())
        tables["switching"] = {
            "year": np.array(years, dtype=np.int64),
            "from_platform": np.array(before, dtype=object),
            "to_platform": np.array(after, dtype=object),
            "buyers": np.array(buyers, dtype=float),
        }
        return tables


def _put_together(parts: list[dict]) -> dict[str, np.ndarray]:
    """The months' rows as the columns of one table; the scalars of a month as often as it has rows, text as objects."""
    n_rows = [next((len(value) for value in part.values() if isinstance(value, np.ndarray)), 1) for part in parts]
    table = {}
    for name in parts[0]:
        values = [part[name] for part in parts]
        if isinstance(values[0], np.ndarray):
            table[name] = np.concatenate(values)
        else:
            table[name] = np.repeat(np.array(values, dtype=_kind(values)), n_rows)
    return table


def _kind(values: list) -> type | None:
    """Text is kept as objects, so that its length is free."""
    return object if values and isinstance(values[0], str) else None


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan
