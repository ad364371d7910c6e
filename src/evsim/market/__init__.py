"""The market's state, and how one month clears."""
