"""``examine``: one look at everything, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from sessionkit.config import Configuration
from sessionkit.doctor.configuration import check_configuration
from sessionkit.doctor.environment import check_environment
from sessionkit.doctor.plugins import check_plugins
from sessionkit.doctor.storage import check_storage
from sessionkit.findings import Finding, Level


@attrs.frozen
class Section:
    """What was found about one subject.

    Attributes:
        name: the subject: ``environment``, ``configuration``, ``plugins`` or ``store``.
        findings: in the order in which people should read them.
    """

    name: str
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst of its findings."""
        return max((finding.level for finding in self.findings), key=list(Level).index, default=Level.OK)


def examine(source: str | Mapping[str, Any] | None = None) -> Iterator[Section]:
    """Look at everything, and tell each section as soon as it is known.

    Nothing that goes wrong raises: it is told as a finding. The store is opened as any program opens it, so that a
    directory which is not there yet is made; no session is changed.

    Args:
        source: which store, as for :func:`sessionkit.open_store`; None for the one that is configured.

    >>> [section.name for section in examine("memory:")]
    ['environment', 'configuration', 'plugins', 'store']
    """
    yield Section("environment", tuple(check_environment()))
    findings, configuration = check_configuration(source)
    yield Section("configuration", tuple(findings))
    yield Section("plugins", tuple(check_plugins(_chosen(configuration))))
    yield Section("store", tuple(check_storage(configuration)))


def _chosen(configuration: Configuration | None) -> set[tuple[str, str]]:
    """Name and entry point of the plugins that the store is made of."""
    if configuration is None:
        return set()
    backend = configuration.plugin
    extensions = (extension.plugin for extension in configuration.extension_plugins)
    return {(backend.name, backend.value), *((plugin.name, plugin.value) for plugin in extensions)}
