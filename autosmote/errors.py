"""The one exception that stands for a mistake of the user."""


class UserError(Exception):
    """A mistake that the user can repair.

    The message is one clear sentence that says what is wrong and what to do about it.
    The command prints it without a traceback and exits with status 2.
    """
