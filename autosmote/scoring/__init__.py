"""What a sample set is worth: rewards, fast exact scorers, drop-in classifiers."""
