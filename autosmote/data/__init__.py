"""Load datasets and split them by the paper's protocol."""
