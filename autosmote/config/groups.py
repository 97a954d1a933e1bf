"""Read the options of conf/ without Hydra's command line: samplers, datasets, groups of them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from autosmote.config.explain import explain, explain_file
from autosmote.config.many import expand_datasets
from autosmote.config.names import CONF_DIR, available, did_you_mean
from autosmote.config.schema import DatasetSettings, SamplerSettings, check_sampler
from autosmote.errors import UserError


def load_group(group: str, name: str, schema: type[Any]) -> Any:
    """Read an option of a group from its file, as the command does for `group=name`.

    Raises
    ------
    UserError
        If there is no such option, or its file does not suit the schema.
    """
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = CONF_DIR / group / f"{name}.yaml"
    if not path.is_file():
        names = available(group)
        raise UserError(f"There is no {group} '{name}'{did_you_mean(name, names)}.")
    try:
        given = OmegaConf.load(path)
        if not isinstance(given, DictConfig):
            raise UserError(f"{path.name} must hold settings by name, not a list.")
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), given))
    except OmegaConfBaseException as error:
        raise UserError(f"In {path.name}: {explain(error)}") from error
    except Exception as error:
        if mistake := explain_file(error):
            raise UserError(mistake) from error
        raise


def load_sampler(name: str) -> SamplerSettings:
    """Read a sampler's settings from its file.

    Raises
    ------
    UserError
        If there is no such sampler, or its file is not good.
    """
    settings = load_group("sampler", name, SamplerSettings)
    check_sampler(settings)
    return settings


def members(group: SamplerSettings) -> list[SamplerSettings]:
    """Return the samplers of a group, with the group's params for them.

    Raises
    ------
    UserError
        If one of them does not exist or is a group itself, or params name another one.
    """
    for name in group.params:
        if name not in group.members:
            raise UserError(
                f"sampler.params.{name} does not name a sampler of '{group.name}'"
                f"{did_you_mean(name, group.members)}."
            )
    if not group.members:
        raise UserError(
            f"The group '{group.name}' has no samplers; name some, as in sampler=[smote,autosmote]."
        )
    found = []
    for name in group.members:
        member = load_sampler(name)
        if member.kind == "group":
            raise UserError(f"The group '{group.name}' holds '{name}', which is a group as well.")
        given = group.params.get(name, {})
        if not isinstance(given, dict):
            raise UserError(f"sampler.params.{name} must hold settings of '{name}', not '{given}'.")
        found.append(replace(member, params=member.params | given))
    return found


def load_datasets(entries: Iterable[str]) -> list[DatasetSettings]:
    """Return the settings of datasets: "phoneme", a collection's "common:yeast4", or a set.

    Sets are those of the many datasets, such as "many:decision" (`autosmote.config.many`).

    Raises
    ------
    UserError
        If there is no such dataset or set, or a table is said to be of what is no collection.
    """
    found = []
    for entry in expand_datasets(entries):
        option, _, table = entry.partition(":")
        settings = load_group("dataset", option, DatasetSettings)
        if table and settings.source is None:
            raise UserError(
                f"datasets has '{entry}', but dataset={option} is no collection of tables; "
                "imblearn and common are."
            )
        found.append(replace(settings, name=table) if table else settings)
    return found
