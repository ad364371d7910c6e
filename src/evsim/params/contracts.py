"""Contracts between the platform leader and brands: one set of terms a mode, and what it costs to come and go."""

from .base import Params, param

FIXED_FEE = "assumption: none is known beside the fees per car"


class AllianceContract(Params):
    """Mode `alliance`: the leader co-designs the car, lends brand and shops."""

    fixed_fee: float = param(0.0, "fee a brand pays", unit="bn CNY per year", ge=0.0, le=100.0, source=FIXED_FEE)
    unit_fee: float = param(
        36.7, "fee a car, the stack's parts included (w)", unit="kCNY per car",
        source="licence fee per car to Yinwang, 2025, company notice by way of the press; the 140 kCNY a car, or a third of "
        "revenue, that Seres paid in the first half of 2025 hold the share r, this fee, and parts that any car needs",
        ge=0.0, le=300.0,
    )
    revenue_share: float = param(
        0.10, "share of the price net of VAT that the maker pays (r)", unit="fraction", ge=0.0, lt=0.9,
        source="press, unconfirmed: about 10 % of AITO's vehicle revenue 2022-2023",
    )
    parts_cost: float = param(
        20.0, "cost of the stack's parts that the leader bears (m)", unit="kCNY per car",
        source="assumption: about half of the fee",
        ge=0.0, le=300.0,
    )
    channel_share: float = param(
        0.08, "cost of the leader's shops, as a share of the car's price net of VAT; a maker that sells without them spends as much",
        unit="fraction", ge=0.0, lt=0.9, source="press, unconfirmed: 8 of the 10 % are for the sales channel",
    )


class InsideContract(Params):
    """Mode `inside`: the brand buys the full stack and keeps its name and its shops."""

    fixed_fee: float = param(0.0, "fee a brand pays", unit="bn CNY per year", ge=0.0, le=100.0, source=FIXED_FEE)
    unit_fee: float = param(
        40.0, "fee a car, the stack's parts included (w)", unit="kCNY per car",
        source="press: Huawei Inside package 40 kCNY, 2022, an estimate",
        ge=0.0, le=300.0,
    )
    revenue_share: float = param(
        0.0, "share of the price net of VAT that the maker pays (r)", unit="fraction", ge=0.0, lt=0.9,
        source="general knowledge, recalled: the package is sold at a price a car",
    )
    parts_cost: float = param(
        25.0, "cost of the stack's parts that the leader bears (m)", unit="kCNY per car",
        source="press: margin of at least 15 of the 40 kCNY, 2022",
        ge=0.0, le=300.0,
    )


class ComponentsContract(Params):
    """Modes `components` and `hardware_only`: the brand buys parts beside its own or bought software."""

    fixed_fee: float = param(0.0, "fee a brand pays", unit="bn CNY per year", ge=0.0, le=100.0, source=FIXED_FEE)
    unit_fee: float = param(
        5.0, "fee a car, parts included (w)", unit="kCNY per car", source="list price of the entry driver-assistance package, 2024",
        ge=0.0, le=300.0,
    )
    revenue_share: float = param(
        0.0, "share of the price net of VAT that the maker pays (r)", unit="fraction", ge=0.0, lt=0.9,
        source="general knowledge, recalled: parts have a price",
    )
    parts_cost: float = param(
        2.5, "cost of the parts that the leader bears (m)", unit="kCNY per car", source="assumption: about half of the fee",
        ge=0.0, le=300.0,
    )


class ContractsParams(Params):
    """Terms of each mode, and what it costs to come and go."""

    alliance: AllianceContract = AllianceContract()
    inside: InsideContract = InsideContract()
    components: ComponentsContract = ComponentsContract()
    rival_fee: float = param(
        10.0, "what a car with a rival supplier's full stack costs its maker beyond bought parts", unit="kCNY per car",
        ge=0.0, le=300.0, source="assumption: between the entry package (5) and the full one (36)",
    )
    years: int = param(
        3, "a contract binds the brand this long", unit="years", ge=1, le=30, source="assumption: about half of a model's life",
    )
    months_to_convert: int = param(
        13, "from choosing another stack to cars that have it; old cars are sold until then", unit="months", ge=1, le=120,
        source="rd_software evidence: 7 to 20 months from agreement to first delivery with a partner, mean 13",
    )
    conversion_cost: float = param(
        0.8, "cost of a line on another stack", unit="bn CNY per line", ge=0.0, le=50.0,
        source="GAC Aion AH8, project budget with the leader's stack inside, 2021: 0.79 bn CNY",
    )
    launch_cost: float = param(
        6.0, "cost of a new brand's first line", unit="bn CNY per line", ge=0.0, le=100.0,
        source="SAIC Shangjie, first phase, 2025: 6 bn CNY",
    )
    channel_cost: float = param(
        10.0, "cost of closing the brand's own shops on joining `alliance`", unit="kCNY per car sold a year", ge=0.0, le=300.0,
        source="assumption: half a year's dealer margin of about 10 % of 200 kCNY",
    )
    exit_cost: float = param(
        0.2, "cost of leaving the leader's platform, for each year on it", unit="bn CNY per year on the platform", ge=0.0, le=50.0,
        source="assumption: a quarter of one line's conversion a year",
    )
    exit_cost_owner: float = param(
        1.0, "cost of leaving the leader's platform, for each owner the brand has on it: support, and their trade-in terms",
        unit="kCNY per owner", ge=0.0, le=100.0, source="assumption: one yearly fee of the software package is 7 kCNY",
    )
    holdup: float = param(
        0.5, "part of what leaving would cost that a member expects to be asked for whenever the leader is free to set new terms",
        unit="fraction", ge=0.0, le=1.0, source="assumption: an even split of the gain from staying (Nash bargaining)",
    )
