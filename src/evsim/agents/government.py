"""The government: which benefits are in force, and what they cost."""

import mesa

from ..market.accounts import MonthAccounts


class Government(mesa.Agent):
    """Runs the scenario's instruments; its rule today is the dated timeline of `market.policy`."""

    in_force: tuple[str, ...] = ()  # kinds of the benefits of this month
    outlay = 0.0  # kCNY this month: subsidies paid and tax waived
    receipts = 0.0  # kCNY this month: VAT and purchase tax

    def announce(self) -> None:
        """Put this month's instruments in force."""
        market = self.model.market
        self.in_force = tuple(entry.kind for entry in market.policy.dated(market.month))

    def book(self, accounts: MonthAccounts) -> None:
        """Take the month's tax and outlay to the accounts."""
        self.outlay = accounts.treasury.subsidies + accounts.treasury.tax_waived
        self.receipts = accounts.vat + accounts.treasury.purchase_tax
