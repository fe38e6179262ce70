"""``StoreURL``: a store named in one line, such as ``redis://localhost/0?ttl=7d`` or ``jsonl:sessions``.

The core takes scheme and query apart, the same for every backend; what stands between them means something
only to the backend (``urllib`` would fail on ``h1:7000,h2:7001`` and on ``[`` in a password).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import attrs

from sessionkit.errors import ConfigError

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


@attrs.frozen(kw_only=True)
class StoreURL:
    """A URL in its parts. Its ``repr`` shows the scheme only: the rest may hold a password.

    Attributes:
        scheme: all before the first ``:``, such as ``redis+cluster``.
        rest: all between that ``:`` and the query, as it was written, such as ``//h1:7000,h2:7001``.
        query: the options after ``?``, decoded as those of a form: ``%2B`` is a plus sign, ``+`` a space.
    """

    scheme: str
    rest: str = attrs.field(repr=False)
    query: dict[str, str] = attrs.field(repr=False, factory=dict)

    @property
    def name(self) -> str:
        """The backend's name: the scheme up to the first ``+``."""
        return self.scheme.partition("+")[0]

    @property
    def variant(self) -> str:
        """The scheme after the first ``+``, ``""`` when there is none."""
        return self.scheme.partition("+")[2]

    @classmethod
    def parse(cls, text: str) -> StoreURL:
        """Take a URL apart.

        Raises:
            ConfigError: no scheme, a fragment, an option given twice, or percent-encoding that is not UTF-8. The
                URL is not quoted in it.

        >>> url = StoreURL.parse("redis+cluster://h1:7000,h2:7001?ttl=7d")
        >>> url.name, url.variant, url.rest, url.query
        ('redis', 'cluster', '//h1:7000,h2:7001', {'ttl': '7d'})
        """
        match = _SCHEME.match(text)
        if match is None:
            raise ConfigError(
                "a store URL begins with the backend's name and a colon, such as jsonl:sessions or redis://localhost"
            )
        if "#" in text:
            raise ConfigError(
                f"the {match[1]} URL has a fragment (#), which means nothing; write %23 for the character itself"
            )
        rest, _, query = text[match.end() :].partition("?")
        return cls(scheme=match[1].lower(), rest=rest, query=_parse_query(query, match[1]))


def _parse_query(query: str, scheme: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for item in query.split("&") if query else ():
        name, equals, value = item.partition("=")
        name = _decoded(name.replace("+", " "), scheme)
        if not name or not equals:
            raise ConfigError(f"the options of the {scheme} URL are written as ?name=value&name=value")
        if name in options:
            raise ConfigError(f"the {scheme} URL gives the option {name!r} twice")
        options[name] = _decoded(value.replace("+", " "), scheme)
    return options


def _decoded(text: str, scheme: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:  # by default unquote puts a replacement character, which names something else
        raise ConfigError(f"the {scheme} URL has percent-encoded bytes that are not UTF-8") from None


def read_path(url: StoreURL) -> dict[str, str]:
    """Read the URL of a backend that keeps files: ``jsonl:///var/lib/bot`` or ``jsonl:sessions``, into ``path``.

    Raises:
        ConfigError: ``jsonl://sessions``, in which ``sessions`` stands where a host would; a variant; a path
            that no file system has.

    >>> read_path(StoreURL.parse("jsonl:///var/lib/my%20bot"))
    {'path': '/var/lib/my bot'}
    """
    if url.variant:
        raise ConfigError(f"the {url.name} backend has no variant {url.variant!r}; write {url.name}:PATH")
    if not url.rest:
        return {}
    if not url.rest.startswith("//"):
        return {"path": _decoded_path(url.rest, url.scheme)}
    host, slash, path = url.rest[2:].partition("/")
    if host:
        shown = "PATH" if "@" in host else f"{host}{slash}{path}"
        raise ConfigError(
            f"in {url.scheme}://{shown} the part after // would be a host; write "
            f"{url.scheme}:{shown} for a relative path, {url.scheme}:///{shown} for an absolute one"
        )
    if not slash:
        return {}
    return {"path": _decoded_path(slash + path, url.scheme)}


def _decoded_path(text: str, scheme: str) -> str:
    path = _decoded(text, scheme)
    if "\0" in path:
        raise ConfigError(f"the path in the {scheme} URL contains a NUL character")
    return path
