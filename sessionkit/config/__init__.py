"""Which backend with which options, and where that was said."""

from sessionkit.config.resolution import resolve
from sessionkit.config.settings import Configuration, ConfiguredExtension, Setting

__all__ = ["Configuration", "ConfiguredExtension", "Setting", "resolve"]
