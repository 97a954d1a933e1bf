"""Compose configurations as the commands do."""

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from autosmote.config.names import CONF_DIR
from autosmote.config.schema import Config, register_schema
from autosmote.sweep.settings import SweepConfig


def compose_run(*overrides: str) -> Config:
    """Return the settings of a run."""
    register_schema()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return OmegaConf.to_object(compose("config", overrides=list(overrides)))


def compose_sweep(*overrides: str) -> SweepConfig:
    """Return the settings of a sweep."""
    register_schema("sweep_schema", SweepConfig)
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return OmegaConf.to_object(compose("sweep", overrides=list(overrides)))
