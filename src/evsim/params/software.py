"""Software quality of platforms, and the strength of the alliance."""

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
        acts_from="advantage_until",
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
    rd_elasticity: float = param(
        0.5, "rise of a group's own-stack R&D with its revenue since the base date", unit="elasticity", ge=0.0, le=5.0,
        source="assumption: budgets follow cash flow, less than in proportion", role="lever",
    )
    supplier_rd: float = param(
        1.5, "software R&D behind a supplier's stack", unit="bn CNY per year", ge=0.0, le=100.0,
        source="assumption", role="lever",
    )
    support_months: int = param(
        60, "months for which a stack that no car on sale uses any more is kept up", unit="months", ge=0, le=600,
        source="assumption: about the warranty of a car's electronics",
    )
    leap_platform: str | None = param(
        None, "rival platform that overtakes; none: nobody", unit="name", source="lever of the scenario", role="lever",
        acts_from="leap_month",
    )
    leap_month: str | None = param(
        None, "month of the leap (YYYY-MM)", unit="month", source="lever of the scenario", role="lever",
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        acts_from="leap_month",
    )
    leap_kcny: float = param(
        20.0, "quality of the leaping platform above the alliance's in that month", unit="kCNY", ge=0.0, le=200.0,
        source="lever of the scenario", role="lever",
        acts_from="leap_month",
    )


class AllianceParams(Params):
    """Strength of the alliance, and how its leader behaves; its terms are in `contracts`."""

    leader: str = param("Huawei", "name of the platform firm", unit="name", source="the question", role="setting")
    platform: str = param("huawei", "platform the alliance shares", unit="name", source="the question", role="setting")
    lent_trust: float = param(
        0.8, "trust the leader's shops and brand lend a member brand (part of τ)", unit="utils", ge=0.0, le=5.0,
        source="assumption: AITO against Seres' own SF5",
    )
    dilution: float = param(
        0.25, "fall of the trust lent to each brand with the number of brands in `alliance`: (brands at the base date / brands) to "
        "this power", unit="elasticity", ge=0.0, le=5.0, source="assumption: one design team and one shop floor for all",
    )
    components_gain: float = param(
        0.25, "part of the gap to the leader's software that its `components` close", unit="fraction", ge=0.0, le=1.0,
        source="assumption: the entry package against the full one",
    )
    terms: str = param(
        "chosen", "chosen: the leader sets its share and fees, and its research, anticipating who stays; given: as in the scenario",
        unit="choice", pattern="^(chosen|given)$", source="the question; acts with modes.rule=chosen", role="lever",
    )
    commitment_years: int = param(
        3, "the leader is bound by its terms this long", unit="years", ge=1, le=30, source="assumption: as long as a contract",
        role="lever",
    )
    admissions: int = param(
        2, "most new brands that the leader takes into `alliance` in a year", unit="brands per year", ge=0, le=100,
        source="membership evidence: two brands in 2025, the most so far", role="lever",
    )
    barred_origins: tuple[str, ...] = param(
        ("US",), "home countries of marques that may not buy from the leader", unit="names",
        source="Entity List of the US Department of Commerce, Huawei since 2019-05", role="lever",
    )
    onboardings: int = param(
        3, "most brands a year whose cars the leader fits with its full stack in mode `inside`", unit="brands per year", ge=0,
        le=100, source="assumption: two in 2022 (Arcfox, Avatr), and teams have grown since", role="lever",
    )
    offer_share: float | None = param(
        None, "share of the price that the leader asks in mode `alliance` from month 1; none: the contract's", unit="fraction",
        ge=0.0, lt=0.9, source="lever of the scenario", role="lever",
    )
    offer_fee_scale: float = param(
        1.0, "times the contracts' fees a car, from month 1, all modes", unit="ratio", ge=0.0, le=100.0,
        source="lever of the scenario", role="lever",
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


