"""Software quality of platforms, and the alliance's terms."""

from .base import Params, param


class SoftwareParams(Params):
    """How software quality starts, grows, and is set by scenarios. Quality is in kCNY a median-income buyer would pay."""

    advantage_kcny: float | None = param(
        None, "the alliance's quality less the sales-weighted mean of independents' stacks in month 1; none: as calibrated",
        unit="kCNY", ge=-200.0, le=200.0, source="lever of the scenario", role="lever",
    )
    advantage_until: str | None = param(
        None, "from this month (YYYY-MM) every stack behind has the alliance's quality and keeps level; none: never",
        unit="month", source="lever of the scenario", role="lever", pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
    )
    success_gain: float = param(
        2.0, "gain of quality from one success", unit="kCNY", ge=0.0, le=50.0,
        source="assumption: package prices fell and functions spread by about this much a year",
    )
    rd_effect: float = param(
        0.15, "chance odds of a success a month per bn CNY of yearly R&D (a in a x/(1 + a x), over twelve)",
        unit="per bn CNY", ge=0.0, le=10.0, source="assumption: Ericson & Pakes (1995) form",
    )
    data_effect: float = param(
        0.5, "R&D equivalent of fleet data: bn CNY per log point of fleet over the network scale", unit="bn CNY", ge=0.0, le=10.0,
        source="assumption",
    )
    alliance_rd: float = param(
        10.0, "software R&D of the platform leader", unit="bn CNY per year", ge=0.0, le=100.0,
        source="general knowledge, recalled: about 10 bn CNY a year 2021-2024", role="lever",
    )
    own_stack_rd: float = param(
        3.0, "software R&D of a group with an in-house stack", unit="bn CNY per year", ge=0.0, le=100.0,
        source="assumption: rd_software evidence, 1 to 5 bn a year", role="lever",
    )
    supplier_rd: float = param(
        1.5, "software R&D behind a supplier's stack", unit="bn CNY per year", ge=0.0, le=100.0,
        source="assumption", role="lever",
    )
    leap_platform: str | None = param(
        None, "rival platform that overtakes; none: nobody", unit="name", source="lever of the scenario", role="lever",
    )
    leap_month: str | None = param(
        None, "month of the leap (YYYY-MM)", unit="month", source="lever of the scenario", role="lever",
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
    )
    leap_kcny: float = param(
        20.0, "quality of the leaping platform above the alliance's in that month", unit="kCNY", ge=0.0, le=200.0,
        source="lever of the scenario", role="lever",
    )


class AllianceParams(Params):
    """Terms and strength of the alliance led by the platform firm."""

    leader: str = param("Huawei", "name of the platform firm", unit="name", source="the question", role="setting")
    platform: str = param("huawei", "platform the alliance shares", unit="name", source="the question", role="setting")
    revenue_share: float = param(
        0.10, "share of the price net of VAT a member pays the leader (r, mode `alliance`)", unit="fraction", ge=0.0, lt=0.9,
        source="press, unconfirmed: about 10 % of AITO's vehicle revenue 2022-2023", role="structure",
    )
    unit_fee: float = param(
        36.7, "fee a car in mode `alliance`, parts included (w)", unit="kCNY per car", ge=0.0, le=300.0,
        source="licence fee per car to Yinwang, 2025, company notice by way of the press", role="structure",
    )
    inside_fee: float = param(
        40.0, "fee a car in mode `inside`, parts included", unit="kCNY per car", ge=0.0, le=300.0,
        source="press: Huawei Inside package 40 kCNY, 2022", role="structure",
    )
    components_fee: float = param(
        5.0, "fee a car in modes `components` and `hardware_only`, parts included", unit="kCNY per car", ge=0.0, le=300.0,
        source="list price of the entry driver-assistance package, 2024", role="structure",
    )
    parts_cost: float = param(
        20.0, "cost of the stack's parts that the leader bears, modes `alliance` and `inside` (m)", unit="kCNY per car",
        ge=0.0, le=300.0, source="assumption: about half of the fee", role="structure",
    )
    lent_trust: float = param(
        0.8, "trust the leader's shops and brand lend a member brand (part of τ)", unit="utils", ge=0.0, le=5.0,
        source="assumption: AITO against Seres' own SF5",
    )
    price_setter: str = param(
        "automaker", "who sets members' prices: automaker or leader", unit="choice", pattern="^(automaker|leader)$",
        source="contracts leave prices to the maker, general knowledge", role="structure",
    )
    fellow_weight: float = param(
        0.0, "weight of fellow members' margins in a member's prices (φ)", unit="fraction", ge=0.0, le=1.0,
        source="assumption: members compete", role="structure",
    )
    leader_weight: float = param(
        0.0, "weight of the leader's margin in a member's prices (φ_L)", unit="fraction", ge=0.0, le=1.0,
        source="assumption: members compete", role="structure",
    )


class ModesParams(Params):
    """Who is in the alliance, and in which mode."""

    rule: str = param(
        "timeline", "timeline: the dated record; none: the leader sells nothing from month 1; open: any brand may buy "
        "the stack as `inside`", unit="choice", pattern="^(timeline|none|open)$",
        source="platform_membership evidence", role="lever",
    )
