"""A curve that another process draws is the one that this process draws."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autosmote.records.curve import plot_curve
from autosmote.records.curve_process import CurveDrawer

HISTORY = {
    "iteration": np.arange(1, 6),
    "reward": np.array([0.1, 0.4, 0.2, 0.5, 0.5]),
    "best": np.array([0.1, 0.4, 0.4, 0.5, 0.5]),
}
SETTINGS = {"metric": "mcc", "title": "toy", "reference": 0.3}


def test_curve_drawer_draws_the_same_picture(tmp_path):
    plot_curve(HISTORY, tmp_path / "here.png", **SETTINGS)
    drawer = CurveDrawer()
    drawer.draw(HISTORY, tmp_path / "there.png", **SETTINGS)
    drawer.close()
    assert (tmp_path / "there.png").read_bytes() == (tmp_path / "here.png").read_bytes()


def test_curve_that_cannot_be_drawn_says_why(tmp_path):
    drawer = CurveDrawer()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        drawer.draw(HISTORY, tmp_path / "nowhere" / "curve.png", **SETTINGS)
    drawer.close()
    drawer = CurveDrawer()
    with pytest.raises(RuntimeError, match="the curve was not drawn: KeyError"):
        drawer.draw({}, tmp_path / "curve.png", **SETTINGS)
    drawer.close()
    gone = CurveDrawer()
    gone._process.kill()
    with pytest.raises(RuntimeError, match="its process has ended"):
        gone.draw(HISTORY, tmp_path / "curve.png", **SETTINGS)
    gone.close()


def test_run_without_threads_leaves_its_curve_to_another_process(tmp_path):
    code = (
        "import sys; from autosmote.run import main; "
        f"main(['search.iterations=3', 'search.actors=0', 'results_dir={tmp_path}']); "
        "print('matplotlib' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "False"
    assert len(list(tmp_path.glob("runs/*/curve.png"))) == 1
