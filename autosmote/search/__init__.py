"""How sample sets are proposed, scored and learned from (Algorithm 2)."""
