"""Other samplers and methods to compare AutoSMOTE with; independent of its search."""
