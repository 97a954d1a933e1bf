"""The exceptions that stand for a mistake of the user."""


class UserError(Exception):
    """A mistake that the user can repair.

    The message is one clear sentence that says what is wrong and what to do about it.
    The command prints it without a traceback and exits with status 2.
    """


class InputError(UserError, ValueError):
    """A mistake in what was given to the sampler; scikit-learn's tools expect a ValueError."""
