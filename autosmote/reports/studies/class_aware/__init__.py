"""The experiments on the class-aware search, and on the rules that choose among sample sets."""
