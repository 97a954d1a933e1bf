"""The search loop and the methods that propose sample sets (Algorithm 2)."""
