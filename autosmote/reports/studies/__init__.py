"""What is worked out of the cells: summaries, breakdowns, and one study per figure."""
