"""Interruptions that come as other errors."""

import pytest

from autosmote.errors import interrupts_let_through, let_interrupts_through


def caused_by(cause):
    error = SystemError("compiled code returned a result with an exception set")
    error.__cause__ = cause
    return error


def test_an_interrupt_behind_other_errors_is_raised():
    with pytest.raises(KeyboardInterrupt):
        let_interrupts_through(caused_by(caused_by(KeyboardInterrupt())))


def test_a_circle_of_causes_ends():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    let_interrupts_through(first)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_block_raises_what_was_raised_in_it(error):
    with pytest.raises(type(error)) as caught, interrupts_let_through():
        raise error
    assert caught.value is error
