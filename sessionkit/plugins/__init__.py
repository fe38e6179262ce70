"""What a plugin describes of itself, and how plugins are found, checked and put together."""

from sessionkit.plugins.descriptors import BackendPlugin, Capability, ExtensionPlugin, NoOptions
from sessionkit.plugins.options import directory_option, option
from sessionkit.plugins.urls import StoreURL, read_path

__all__ = [
    "BackendPlugin",
    "Capability",
    "ExtensionPlugin",
    "NoOptions",
    "StoreURL",
    "directory_option",
    "option",
    "read_path",
]
