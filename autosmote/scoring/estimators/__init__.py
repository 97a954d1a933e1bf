"""Drop-in replacements for scikit-learn classifiers, bit-identical and faster."""
