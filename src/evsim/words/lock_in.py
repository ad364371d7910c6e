"""The lock-in kit in words: a number with its unit and interval, and one sentence for each measure."""

from collections.abc import Mapping, Sequence
from math import isnan

from .language import bracket, digits

SENTENCES: Mapping[str, str] = {  # measure: what it says of {value}
    "counted_repeat": "In the sales of the last year, {value} of owners in an ecosystem who bought took the same stack again.",
    "counted_excess": "In the sales of the last year, owners took their own stack {value} more often than everybody did: what "
    "a naive observer calls lock-in.",
    "repeat_purchase": "At their next purchase, today's owners in an ecosystem stay on their stack with a chance of {value}.",
    "naive_excess": "That chance exceeds the stacks' shares by {value}: what a naive observer would call lock-in.",
    "state_dependence": "The same consumers, had they owned nothing, would buy their stack {value} less often: true state "
    "dependence.",
    "taste": "The other {value} of the naive excess are taste: owners like their stack better than others do.",
    "naive_switching_cost": "Taking all of the naive excess for lock-in, one finds a switching cost of {value}.",
    "switching_cost": "The owners' true switching cost at their next purchase is {value} on the mean.",
    "brand_repeat_purchase": "At their next purchase, today's owners stay with their brand with a chance of {value}.",
    "brand_naive_excess": "That chance exceeds the brands' shares by {value}: what a naive observer would call loyalty.",
    "brand_state_dependence": "The same consumers, had they owned nothing, would buy their brand {value} less often.",
    "tenure": "At these chances a stay on one stack lasts {value}.",
    "free_tenure": "If owning did nothing, a stay on one stack would last {value}.",
    "leaving_anyhow": "Of owners in an ecosystem, {value} would leave both stack and brand at their next purchase for nothing.",
    "compensating_price": "The mean price at which an owner in an ecosystem leaves both stack and brand is {value}.",
    "median_stayer": "Of those who would stay, half want {value} or more to leave both.",
    "tenth_stayer": "Of those who would stay, one in ten wants {value} or more to leave both.",
    "lock_in_price": "Lock-in is the reason for {value} of the mean price at which an owner leaves; the rest is that the car "
    "suits its owner better.",
    "platform_rent": "The platform's part of what lock-in adds to the price is {value} (Shapley).",
    "brand_rent": "The brand's part of what lock-in adds to the price is {value} (Shapley).",
    "worth_to_maker": "By lock-in an owner on {leader} brings the maker of its car {value} of later margins.",
    "worth_to_leader": "By lock-in an owner on {leader} brings the platform firm {value} of later fees.",
    "hhi_brand": "The concentration of brands is {value}.",
    "hhi_automaker": "The concentration of automakers is {value}.",
    "hhi_platform": "The concentration of platforms, each brand on no ecosystem counted for itself, is {value}.",
    "tipping": "Lock-in changes the concentration of platforms by {value}, against a world with θ = κ = ι = data learning = 0 "
    "inverted to the same table.",
    "tipping_brand": "Lock-in changes the concentration of brands by {value}.",
    "tipping_automaker": "Lock-in changes the concentration of automakers by {value}.",
    "tipping_held": "With qualities, costs and motives held instead of inverted anew, lock-in changes the concentration of "
    "platforms by {value}.",
    "share_gain": "Lock-in changes the share of {path} in sales by {value}.",
    "loop_width": "Swept up and down in a frozen market, the advantage of {leader} draws a loop {value} wide, less the loop "
    "without lock-in.",
    "loop_width_held": "With lock-in the loop is {value} wide.",
    "loop_width_free": "Without lock-in the loop is {value} wide.",
    "loop_gap": "Back at the middle advantage, the share of {leader} is higher than it was on the way up by {value}.",
    "lead_left": "When {lead} of software advantage, held for {years} years, are gone, {value} of the lead in sales is left in "
    "the first year.",
    "lead_left_free": "Without lock-in {value} of the lead in sales is left in the first year.",
    "half_life": "The lead in sales is down to half after {value}.",
    "half_life_free": "Without lock-in the lead in sales is down to half after {value}.",
    "remainder_half_life": "What lock-in keeps of the lead in the first year is down to half after {value} (of {after} watched).",
    "membership_hysteresis": "At the reviews, the alliance ends {value} larger from everybody than from nobody.",
    "path_share": "Path dependence: with {rows} rows, {value} of the variance of the share of {path} are due to draws of "
    "research, launches and the order and motives of choices; the rest is sampling of households.",
    "path_spread": "With {rows} rows the share of {path} has a standard deviation of {value} between such draws.",
    "path_share_small": "With {small_rows} rows, {value} of the variance of the share of {path} are due to such draws.",
    "path_spread_small": "With {small_rows} rows the share of {path} has a standard deviation of {value} between such draws.",
    "entrant_share": "A newcomer as good as the best seller of {leader} has {value} of the market after {entry} months.",
    "entrant_share_free": "Without lock-in the same newcomer has {value} of the market.",
    "entrant_parity": "The newcomer then sells {value} of what that best seller, its twin, sells.",
    "entrant_parity_free": "Without lock-in it sells {value} of what its twin sells.",
    "entry_barrier": "Lock-in keeps {value} of its sales from such a newcomer: the barrier to non-aligned rivals.",
}
MANNERS: Mapping[str, tuple[float, str]] = {"fraction": (100.0, "%")}
NOTES: Mapping[str, str] = {  # number of a sweep: what it means where it is not 0
    "open": "In {count} of {draws} sweeps the leader never came back to its first share: the loop is at least as wide as told.",
    "unsettled": "Of {draws} sweeps, {count} have levels at which the market had not come to rest when they were left.",
}
CHAPTERS: Mapping[str, str] = {"one run": "Of one run", "worlds compared": "Of worlds compared"}


def measured(value: float, low: float, high: float, unit: str) -> str:
    """A number with its unit and interval, `36.2 % [34.0, 38.4]`; without limits the number alone."""
    scale, name = MANNERS.get(unit, (1.0, unit))
    known = [scale * each for each in (value, low, high) if not isnan(each)]
    largest = max(map(abs, known))
    places = 0 if unit == "months" else digits(largest)
    number, *ends = (f"{round(each, places) + 0.0:,.{places}f}" for each in known)  # -0.0 + 0.0 is 0.0
    name = "month" if (number, name) == ("1", "months") else name
    return f"{number} {name} {bracket(ends)}" if ends else f"{number} {name}"


def lock_in_sentence(measure: str, value: str, names: Mapping[str, str]) -> str:
    """What a measure says.

    Args:
        measure: of `SENTENCES`.
        value: number, unit and interval.
        names: what sentences mention beside it: leader, path, rows, small_rows, lead, years, entry.
    """
    return SENTENCES[measure].format_map({**names, "value": value})


def sweep_notes(worlds: Mapping[str, Sequence[float]]) -> list[str]:
    """What to know of the sweeps.

    Args:
        worlds: of `NOTES`, its number in every sweep.
    """
    counts = {name: sum(value > 0 for value in values) for name, values in worlds.items()}
    return [NOTES[name].format(count=count, draws=len(worlds[name])) for name, count in counts.items() if count]


def owners_finding(naive_excess: float, state_dependence: float) -> str:
    """What repeat purchase is made of, in points, as a title."""
    return (
        f"Owners stay on their stack {naive_excess:.0f} points more often than its share says; {state_dependence:.0f} of them "
        "because they own it, the rest is taste"
    )
