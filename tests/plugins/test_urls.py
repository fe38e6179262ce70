"""Store URLs: the core takes scheme and query apart, and leaves the rest to the backend."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit.errors import ConfigError
from sessionkit.plugins.urls import NAME_PATTERN, StoreURL, read_path

texts = st.text(st.characters(codec="utf-8"), max_size=8)


@pytest.mark.parametrize(
    ("text", "scheme", "name", "variant", "rest", "query"),
    [
        ("memory:", "memory", "memory", "", "", {}),
        ("memory:?", "memory", "memory", "", "", {}),
        ("jsonl:sessions", "jsonl", "jsonl", "", "sessions", {}),
        ("jsonl:///var/lib/bot", "jsonl", "jsonl", "", "///var/lib/bot", {}),
        ("jsonl:a:b?x=1", "jsonl", "jsonl", "", "a:b", {"x": "1"}),
        ("REDIS://h?TTL=7D", "redis", "redis", "", "//h", {"TTL": "7D"}),
        ("redis+cluster://h1:7000,h2:7001", "redis+cluster", "redis", "cluster", "//h1:7000,h2:7001", {}),
        ("a+b+c:x", "a+b+c", "a", "b+c", "x", {}),
        ("redis://:p[a]ss@h/0?ttl=7d&x=", "redis", "redis", "", "//:p[a]ss@h/0", {"ttl": "7d", "x": ""}),
        ("redis://[::1]:6379/0", "redis", "redis", "", "//[::1]:6379/0", {}),
        (
            "my-store:%20?a=%3D%26%3F%2B+%C3%A9&b=x=y?z",
            "my-store",
            "my-store",
            "",
            "%20",
            {"a": "=&?+ é", "b": "x=y?z"},
        ),
    ],
)
def test_a_url_is_taken_apart(
    text: str, scheme: str, name: str, variant: str, rest: str, query: dict[str, str]
) -> None:
    url = StoreURL.parse(text)
    assert (url.scheme, url.name, url.variant, url.rest, url.query) == (scheme, name, variant, rest, query)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with the backend's name and a colon"),
        ("hunter2", "begins with the backend's name and a colon"),
        ("://hunter2", "begins with the backend's name and a colon"),
        ("/hunter2:x", "begins with the backend's name and a colon"),
        (" jsonl:hunter2", "begins with the backend's name and a colon"),
        ("1redis://hunter2", "begins with the backend's name and a colon"),
        ("redis://:hunter2#@h", "the redis URL has a fragment"),
        ("redis://h?a=1#hunter2", "the redis URL has a fragment"),
        ("redis://h?ttl=hunter2&ttl=hunter2", "the redis URL gives the option 'ttl' twice"),
        ("redis://h?a+b=hunter2&a%20b=hunter2", "the redis URL gives the option 'a b' twice"),
        ("redis://h?hunter2", "the options of the redis URL are written as"),
        ("redis://h?=hunter2", "the options of the redis URL are written as"),
        ("redis://h?a=hunter2&", "the options of the redis URL are written as"),
        ("redis://h?a=1&&b=hunter2", "the options of the redis URL are written as"),
        ("redis://h?a=hunter2%FF", "the redis URL has percent-encoded bytes that are not UTF-8"),
        ("redis://h?%FF=hunter2", "the redis URL has percent-encoded bytes that are not UTF-8"),
    ],
)
def test_a_url_that_means_nothing_is_refused_without_quoting_it(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StoreURL.parse(text)
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_only_the_scheme_is_shown() -> None:
    assert repr(StoreURL.parse("redis://:hunter2@h/0?password=hunter2")) == "StoreURL(scheme='redis')"


@given(st.dictionaries(texts.filter(bool), texts, max_size=4), st.sampled_from([quote, quote_plus]))
def test_options_come_back_as_they_were_encoded(options: dict[str, str], encode: type[str]) -> None:
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in options.items())
    assert StoreURL.parse(f"redis://h?{query}").query == options


@given(texts.filter(lambda text: not set(text) & set("?#")))
def test_the_rest_is_left_as_it_was_written(rest: str) -> None:
    assert StoreURL.parse(f"redis:{rest}?a=1").rest == rest


@given(st.text(max_size=20) | st.from_regex(r"[a-z]+:[^\n]*", fullmatch=True))
def test_anything_is_a_url_or_a_configuration_error(text: str) -> None:
    try:
        url = StoreURL.parse(text)
        read_path(url)
    except ConfigError:
        return
    assert text[len(url.scheme)] == ":"


# --- paths -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("jsonl:sessions", "sessions"),
        ("jsonl:./a/b", "./a/b"),
        ("jsonl:/var/lib/bot", "/var/lib/bot"),
        ("jsonl:///var/lib/bot", "/var/lib/bot"),
        ("jsonl:///", "/"),
        ("jsonl:~/bot", "~/bot"),
        ("jsonl:a%20b+c%3F%23", "a b+c?#"),
        ("jsonl:///%C3%A9?x=1", "/é"),
    ],
)
def test_a_path_is_read(text: str, path: str) -> None:
    assert read_path(StoreURL.parse(text)) == {"path": path}


@pytest.mark.parametrize("text", ["jsonl:", "jsonl://", "jsonl:?x=1", "jsonl://?x=1"])
def test_without_a_path_there_is_none(text: str) -> None:
    assert read_path(StoreURL.parse(text)) == {}


@given(texts.filter(lambda text: text and "\0" not in text))
def test_any_path_can_be_written(path: str) -> None:
    assert read_path(StoreURL.parse(f"jsonl:{quote(path, safe='')}")) == {"path": path}
    assert read_path(StoreURL.parse(f"jsonl:///{quote(path)}")) == {"path": f"/{path}"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("jsonl://sessions", "write jsonl:sessions for a relative path, jsonl:///sessions for an absolute one"),
        ("jsonl://a/b", "write jsonl:a/b for a relative path, jsonl:///a/b for an absolute one"),
        ("jsonl://user:hunter2@h/b", "write jsonl:PATH for a relative path, jsonl:///PATH for an absolute one"),
        ("jsonl+x:hunter2", "the jsonl backend has no variant 'x'; write jsonl:PATH"),
        ("jsonl:hunter2%00", "the path in the jsonl URL contains a NUL character"),
        ("jsonl:hunter2%FF", "the jsonl URL has percent-encoded bytes that are not UTF-8"),
    ],
)
def test_what_is_no_path_is_refused_with_what_to_write(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_path(StoreURL.parse(text))
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["jsonl", "a", "my-store", "s3", "a-1-b"])
def test_names_of_plugins_are_small_letters_digits_and_single_dashes(name: str) -> None:
    assert NAME_PATTERN.fullmatch(name)
    assert StoreURL.parse(f"{name}:").name == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a.b", "a+b", "é", "a\n"])
def test_other_names_are_none(name: str) -> None:
    assert not NAME_PATTERN.fullmatch(name)
