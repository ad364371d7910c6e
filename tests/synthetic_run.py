"""A made-up record in the shapes of a real one, with books that balance, to test results, words and figures on."""

from functools import cache

import numpy as np

from evsim.params import Scenario, month_name, month_number
from evsim.results import Run

AUTOMAKERS = {  # name: (kind, share of the base month, pull per year)
    "Seres": ("alliance_oem", 0.009, 0.22),
    "Chery": ("alliance_oem", 0.035, 0.05),
    "BAIC": ("alliance_oem", 0.008, 0.10),
    "SAIC": ("alliance_oem", 0.013, 0.12),
    "JAC": ("alliance_oem", 0.005, 0.15),
    "BYD": ("independent", 0.124, 0.05),
    "Tesla": ("independent", 0.030, 0.01),
    "Li Auto": ("independent", 0.018, 0.06),
    "NIO": ("independent", 0.008, 0.02),
    "XPeng": ("independent", 0.009, 0.12),
    "Leapmotor": ("independent", 0.008, 0.16),
    "Xiaomi": ("independent", 0.001, 0.30),
    "GAC Aion": ("independent", 0.022, 0.0),
    "Geely": ("incumbent", 0.060, 0.06),
    "FAW-VW": ("incumbent", 0.085, -0.09),
    "SAIC-VW": ("incumbent", 0.055, -0.09),
    "Changan": ("incumbent", 0.062, 0.01),
    "GAC-Toyota": ("incumbent", 0.041, -0.08),
    "FAW-Toyota": ("incumbent", 0.037, -0.08),
    "SAIC-GM": ("incumbent", 0.040, -0.14),
    "BMW Brilliance": ("incumbent", 0.030, -0.10),
    "Beijing Benz": ("incumbent", 0.027, -0.11),
    "Dongfeng Nissan": ("incumbent", 0.034, -0.10),
    "GAC-Honda": ("incumbent", 0.028, -0.10),
}
OWN_STACK = {
    "BYD": "BYD",
    "Tesla": "Tesla",
    "Li Auto": "Li Auto",
    "NIO": "NIO",
    "XPeng": "XPeng",
    "Leapmotor": "Leapmotor",
    "Xiaomi": "Xiaomi",
    "GAC Aion": "GAC",
    "Geely": "Geely",
    "Changan": "Changan",
    "SAIC": "SAIC",
    "Chery": "Chery",
}
POWERTRAINS = ("ice", "bev", "phev", "erev")
N_FIRMS, VAT, TAX = 60, 0.13, 0.10


def firms():
    """Names, kinds, base shares and pulls of 60 automakers."""
    names, kinds, shares, pulls = list(AUTOMAKERS), [], [], []
    for kind, share, pull in AUTOMAKERS.values():
        kinds.append(kind), shares.append(share), pulls.append(pull)
    rest = N_FIRMS - len(names)
    names += [f"Maker {n}" for n in range(1, rest + 1)]
    kinds += ["incumbent"] * rest
    shares += [(1.0 - sum(shares)) / rest] * rest
    pulls += [-0.04] * rest
    return names, kinds, np.array(shares), np.array(pulls)


def products():
    """About 160 products: two powertrains a firm or more, alliance lines in mode alliance."""
    names, kinds, shares, pulls = firms()
    rows = []
    for f, name in enumerate(names):
        drives = (0, 1, 2) if kinds[f] != "independent" else (1, 2)
        if name in ("Tesla", "Xiaomi", "NIO"):
            drives = (1, 1)
        if name in ("Seres", "Li Auto"):
            drives = (1, 3)
        for d, powertrain in enumerate(drives):
            allied = kinds[f] == "alliance_oem" and powertrain != 0
            part = {0: 0.72, 1: 0.16, 2: 0.12}[powertrain] if len(drives) == 3 else 0.5
            rows.append(
                {
                    "product": f"{name} {POWERTRAINS[powertrain]} {d}",
                    "brand": "AITO" if name == "Seres" else name,
                    "automaker": name,
                    "kind": kinds[f],
                    "camp": "alliance" if allied else ("incumbent" if kinds[f] == "alliance_oem" else kinds[f]),
                    "platform": "huawei" if allied else OWN_STACK.get(name, "supplier" if f % 3 else "none"),
                    "mode": "alliance" if allied else ("in_house" if name in OWN_STACK else "supplier"),
                    "powertrain": POWERTRAINS[powertrain],
                    "size_class": "ABC"[f % 3],
                    "firm": f,
                    "share": shares[f] * part,
                    "pull": pulls[f] + (0.10 if powertrain else -0.14),
                    "price": (250.0 if allied else 110.0 + 9.0 * (f % 19)) * (1.1 if powertrain in (1, 3) else 1.0),
                }
            )
    return rows


@cache
def record(seed=0, start="2024-01", end="2035-12", without_alliance=False):
    """A record as `EVMarket.record` gives it."""
    rng = np.random.default_rng(seed)
    months = [month_name(n) for n in range(month_number(start) - 1, month_number(end) + 1)]
    rows = products()
    n, t = len(rows), np.arange(len(months))
    pull = np.array([row["pull"] for row in rows])
    allied = np.array([row["camp"] == "alliance" for row in rows])
    walk = np.cumsum(rng.normal(0.0, 0.012, (len(t), n)), axis=0) * (t[:, None] > 0)
    late = 1.0 / (1.0 + np.exp((t[:, None] - 70.0) / 20.0))  # pulls fade
    log_share = (
        np.log([row["share"] for row in rows])
        + np.cumsum(pull[None, :] / 12.0 * late, axis=0) * (t[:, None] > 0)
        + walk
    )
    log_share[1:] -= 3.0 * without_alliance * allied
    shares = np.exp(log_share) / np.exp(log_share).sum(axis=1, keepdims=True)
    season = 1.0 + 0.12 * np.cos(2 * np.pi * (t % 12) / 12.0) * (t > 0)
    orders = shares * (21.7e6 / 12.0 * season * (1 + 0.01 * rng.normal(size=len(t)) * (t > 0)))[:, None]
    backlog = np.zeros_like(orders)
    backlog[1:] = 0.3 * orders[1:] * rng.uniform(0.0, 1.0, orders[1:].shape)
    units = orders - np.diff(backlog, axis=0, prepend=0.0)
    price = np.array([row["price"] for row in rows]) * np.exp(-0.0012 * t)[:, None]
    return _tables(months, rows, orders, units, backlog, price, rng)


def _tables(months, rows, orders, units, backlog, price, rng):
    """The seven tables of the contract."""
    n_months, n = units.shape
    keys = ("product", "brand", "automaker", "kind", "camp", "platform", "mode", "powertrain", "size_class")
    net = price / (1 + VAT)
    nev = np.array([row["powertrain"] != "ice" for row in rows])
    due = TAX * net
    waived = np.where(nev, np.minimum(due, 30.0), 0.0) * (np.arange(n_months) < 48)[:, None]
    subsidy = np.where(nev, 4.0, 0.0) * (np.arange(n_months) < 24)[:, None]
    allied = np.array([row["camp"] == "alliance" for row in rows])
    fee = np.where(allied, 0.1 * net + 36.7, 0.0)
    cost = net * 0.76 - np.where(allied, 40.0, 0.0)
    market = {"month": np.repeat(months, n)}
    market |= {key: np.tile([row[key] for row in rows], n_months) for key in keys}
    market |= {
        "price": price.ravel(),
        "buyer_price": (price + due - waived - subsidy).ravel(),
        "marginal_cost": (cost + fee).ravel(),
        "orders": orders.ravel(),
        "units": units.ravel(),
        "backlog": backlog.ravel(),
    }
    tables = {"market": market, "automakers": _accounts(months, rows, units, backlog, net, cost, fee)}
    royalties, later = (units * fee)[1:].sum(axis=1), units[1:]
    parts, rd = 20.0 * (later * allied).sum(axis=1), np.full(n_months - 1, 10e6 / 12)
    tables["orchestrator"] = {
        "month": months[1:],
        "royalties": royalties,
        "parts_costs": parts,
        "rd": rd,
        "profit": royalties - parts - rd,
        "members": np.full(n_months - 1, 5),
        "insiders": np.full(n_months - 1, 1),
    }
    vat, tax = (units * (price - net))[1:].sum(axis=1), (units * (due - waived))[1:].sum(axis=1)
    paid = (units * subsidy)[1:].sum(axis=1)
    tables["government"] = {
        "month": months[1:],
        "vat": vat,
        "purchase_tax": tax,
        "tax_waived": (units * waived)[1:].sum(axis=1),
        "subsidies": paid,
        "net": vat + tax - paid,
    }
    fifths, parts = np.arange(1, 6), np.array([0.1, 0.15, 0.2, 0.25, 0.3])
    tables["households"] = {
        "month": np.repeat(months[1:], 5),
        "income_group": np.tile(fifths, n_months - 1),
        "shoppers": np.full(5 * (n_months - 1), 4e5),
        "units": np.outer(later.sum(axis=1), parts).ravel(),
        "surplus": np.outer(later.sum(axis=1), 20.0 * fifths).ravel(),
        "staying": np.outer(later.sum(axis=1), 1.0 * fifths).ravel(),
        "benefits": np.outer((later * (waived + subsidy)[1:]).sum(axis=1), parts).ravel(),
    }
    tables["platforms"], tables["switching"], repeat = _platforms(months, rows, units, rng)
    tables["headline"] = _headline(months, rows, units, price, repeat)
    return tables


def _accounts(months, rows, units, backlog, net, cost, fee):
    """Automakers' accounts."""
    names, kinds, _, _ = firms()
    owner = np.array([row["firm"] for row in rows])
    member = (owner[:, None] == np.arange(len(names))).astype(float)
    later = slice(1, None)
    sold, revenue, paid, costs = (x[later] @ member for x in (units, units * net, units * fee, units * cost))
    fixed = 0.10 * revenue[0] * np.ones_like(revenue)
    rd = 0.04 * revenue[0] * np.ones_like(revenue)
    investment = 0.5 * revenue[0] * (np.arange(len(revenue)) == 2)[:, None]  # once, in the third month
    credits = 0.001 * revenue * (np.arange(revenue.shape[1]) == 0)  # the first sells some to the last
    credits[:, -1] -= credits[:, 0]
    profit = revenue + credits - paid - costs - fixed - rd - investment
    k = len(months) - 1
    return {
        "month": np.repeat(months[1:], len(names)),
        "automaker": np.tile(names, k),
        "group": np.tile(names, k),
        "kind": np.tile(kinds, k),
        "units": sold.ravel(),
        "revenue": revenue.ravel(),
        "royalties": paid.ravel(),
        "costs": costs.ravel(),
        "fixed_costs": fixed.ravel(),
        "rd": rd.ravel(),
        "investment": investment.ravel(),
        "credits": credits.ravel(),
        "profit": profit.ravel(),
        "cash": (20e6 + np.cumsum(profit, axis=0)).ravel(),
        "capacity": (1.6 * sold).ravel(),
        "backlog": (backlog[later] @ member).ravel(),
    }


def _platforms(months, rows, units, rng):
    """Platforms, switching by year, and the repeat rate of all ecosystems by month."""
    names = sorted({row["platform"] for row in rows} | {f"stack_{c}" for c in "abcdef"})
    of = np.array([names.index(row["platform"]) for row in rows])
    sold = units[1:] @ (of[:, None] == np.arange(len(names))).astype(float)
    share = sold / sold.sum(axis=1, keepdims=True)
    ecosystem = np.array([name not in ("supplier", "none") for name in names])
    repeat = np.where(ecosystem, 0.25 + 0.75 * share, share)
    repeat = np.where(sold > 0, repeat, np.nan)
    base = 3e6 * share[0] + np.cumsum(sold, axis=0)
    quality = np.where(ecosystem, 8.0 + 10.0 * (np.array(names) == "huawei"), 0.0) + np.cumsum(
        rng.uniform(0, 0.3, sold.shape), axis=0
    )
    k = len(months) - 1
    platforms = {
        "month": np.repeat(months[1:], len(names)),
        "platform": np.tile(names, k),
        "ecosystem": np.tile(ecosystem, k),
        "quality": quality.ravel(),
        "base": base.ravel(),
        "units": sold.ravel(),
        "share": share.ravel(),
        "repeat_rate": repeat.ravel(),
    }
    switching = {"year": [], "from_platform": [], "to_platform": [], "buyers": []}
    years = np.array([int(month[:4]) for month in months[1:]])
    for year in np.unique(years):
        bought = sold[years == year].sum(axis=0)
        owners = {"first car": 0.4 * bought.sum()} | {
            name: 0.6 * bought[i] for i, name in enumerate(names) if name != "none"
        }
        for owned, buyers in owners.items():
            chance = bought / bought.sum()
            if owned in names:
                chance = 0.75 * chance
                chance[names.index(owned)] += 0.25
            for name, part in zip(names, chance, strict=True):
                if buyers * part > 0:
                    for key, value in zip(switching, (year, owned, name, buyers * part), strict=True):
                        switching[key].append(value)
    return (
        platforms,
        switching,
        np.concatenate([[np.nan], (repeat * sold)[:, ecosystem].sum(axis=1) / sold[:, ecosystem].sum(axis=1)]),
    )


def _headline(months, rows, units, price, repeat):
    """The market in one row a month."""
    total = units.sum(axis=1)
    share = units / total[:, None]
    index = {
        key: np.array([row[key] for row in rows]) for key in ("camp", "powertrain", "brand", "automaker", "platform")
    }

    def part(mask):
        return share[:, mask].sum(axis=1)

    def hhi(key):
        return 1e4 * sum(part(index[key] == name) ** 2 for name in sorted(set(index[key])))

    allied = units[:, index["camp"] == "alliance"].sum(axis=1)
    allied[0] = 0.0
    flat = np.ones(len(months))
    return {
        "month": months,
        "units": total,
        "alliance_share": part(index["camp"] == "alliance"),
        "independent_share": part(index["camp"] == "independent"),
        "incumbent_share": part(index["camp"] == "incumbent"),
        "nev_penetration": part(index["powertrain"] != "ice"),
        "mean_price": (share * price).sum(axis=1),
        "outside_share": 0.3 * flat,
        "repeat_rate": repeat,
        "brand_repeat_rate": repeat * 0.8,
        "hhi_brand": hhi("brand"),
        "hhi_automaker": hhi("automaker"),
        "hhi_platform": hhi("platform"),
        "alliance_cumulative_deliveries": np.cumsum(allied),
        "price_residual": 1e-9 * flat,
        "software_advantage": np.linspace(12.0, 3.0, len(months)),
        "pack_price": np.geomspace(0.8, 0.4, len(months)),
        "chargers": np.linspace(1.0, 5.0, len(months)),
        "co2": np.linspace(25e6, 20e6, len(months)),
    }


@cache
def synthetic_run(seed=0, start="2024-01", end="2035-12", without_alliance=False):
    """A Run on the made-up record."""
    name = "no_alliance" if without_alliance else "baseline"
    scenario = Scenario(name=name, start=start, end=end, seed=seed)
    return Run.from_record(scenario, seed, record(seed, start, end, without_alliance), {"price_solves": 144})
