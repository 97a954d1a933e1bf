"""Each setting is documented, and values that types do not check are checked."""

import ast
import inspect

import pytest
from composing import compose_run

from autosmote.config import schema as config
from autosmote.config import search as search_config
from autosmote.config.schema import validate
from autosmote.errors import UserError


@pytest.mark.parametrize("module", [config, search_config])
def test_each_setting_has_a_docstring(module):
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for setting, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(setting, ast.AnnAssign):
                    documented = isinstance(after, ast.Expr) and isinstance(
                        after.value, ast.Constant
                    )
                    is_group = ast.unparse(setting.annotation).endswith(("Settings", "Config"))
                    assert documented or is_group, ast.unparse(setting)


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("metric=f1", "choose one of macro_f1, mcc"),
        ("metric=MCC", "did you mean mcc?"),
        ("retry=all", "null, none, failed"),
        ("limits.run_seconds=0", "limits.run_seconds must be above 0 or null, not 0"),
        ("sampler.kind=serch", "did you mean search?"),
        ("sampler=none sampler.kind=resampler", "needs its class; .* sampler._target_="),
        ("seed=-1", "seed must lie between"),
        ("seed=4294967296", "seed must lie between"),
    ],
)
def test_validate_refuses_values(override, part):
    with pytest.raises(UserError, match=part.replace("?", r"\?")):
        validate(compose_run(*override.split()))
