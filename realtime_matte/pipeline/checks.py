"""Checks of names and options before any part is opened, so that a wrong word fails at once."""

from realtime_matte import models, plugins
from realtime_matte.config.config import Config
from realtime_matte.pipeline.builder import Choices, parse_choices, source_plugin


def check_config(config: Config) -> None:
    """Check the parts that ``config`` names, as ``check_choices``."""
    check_choices(parse_choices(config, source=None, backgrounds=None, outputs=None, model=None))


def check_choices(choices: Choices) -> None:
    """Check what can be known of the parts without opening one: names, and the network's options, file and provider.

    ONNX Runtime is loaded only if a provider is requested.

    Raises:
        SpecError: A name or an option is unknown, or the provider cannot run here.
        MissingFile, BadFile, MissingDependency: of the network.
    """
    if isinstance(choices.source, str):
        source_plugin(choices.source)
    for background in choices.backgrounds:
        if isinstance(background, str):
            plugins.background(background)
    for output in choices.outputs:
        if isinstance(output, str):
            plugins.sink(output)
    if isinstance(choices.model, str):
        models.check_spec(choices.model, provider=choices.config.provider)
