"""Signals wait while they are held, and are handled as they would have been."""

import importlib
import signal

import pytest

from autosmote import interrupts
from autosmote.config.commandline import Ended, signals_as_interrupts
from autosmote.interrupts import interrupts_held

pytestmark = pytest.mark.usefixtures("heeded_signals")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_waits_until_the_block_has_ended(number):
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    done = []
    with pytest.raises(KeyboardInterrupt) as raised, signals_as_interrupts():
        with interrupts_held():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("the work")
        done.append("no more")
    assert done == ["the work"]
    if number != signal.SIGINT:
        assert isinstance(raised.value, Ended) and raised.value.number == number
    assert before == {n: signal.getsignal(n) for n in before}


def test_a_signal_is_handled_where_they_are_released():
    with signals_as_interrupts(), interrupts_held() as held:
        with pytest.raises(Ended), held.released():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # ignored after the first


def test_after_a_signal_that_ends_nothing_the_next_one_is_handled():
    came = []
    old = signal.signal(signal.SIGTERM, lambda *_: came.append("to read its settings again"))
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_held():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, old)
    assert came == ["to read its settings again"]


def test_handlers_are_restored_though_a_signal_comes_meanwhile(monkeypatch):
    restore = signal.signal

    def at_worst(number, handler):
        restore(number, handler)
        monkeypatch.undo()
        raise KeyboardInterrupt

    with signals_as_interrupts():
        handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        with pytest.raises(KeyboardInterrupt), interrupts_held():
            assert not set(handlers.values()) & {signal.getsignal(n) for n in handlers}
            monkeypatch.setattr(signal, "signal", at_worst)
        assert handlers == {n: signal.getsignal(n) for n in handlers}


def test_a_system_without_some_signals_has_the_others(monkeypatch):
    with monkeypatch.context() as patch:
        patch.delattr(signal, "SIGHUP", raising=False)
        importlib.reload(interrupts)
        assert [signal.SIGINT, signal.SIGTERM] == interrupts._NUMBERS
    importlib.reload(interrupts)
