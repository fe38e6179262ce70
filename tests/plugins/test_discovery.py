"""Plugins are found by their entry points, and only the chosen one is imported."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from typing import Any

import importlib_metadata
import pytest

from sessionkit.errors import DuplicatePluginError, PluginLoadError, PluginVersionError, UnknownBackendError
from sessionkit.hookspecs import API_VERSION
from sessionkit.plugins.discovery import (
    InstalledPlugin,
    LoadedPlugin,
    installed_backends,
    installed_extensions,
    load_backend,
    load_extension,
    refresh,
    try_load,
)

BACKEND = """
from sessionkit.plugins import BackendPlugin
plugin = BackendPlugin(factory=lambda options: None)
"""
EXTENSION = """
from sessionkit.plugins import ExtensionPlugin
plugin = ExtensionPlugin(factory=lambda options: None)
"""


def names(plugins: list[InstalledPlugin]) -> list[str]:
    return [plugin.name for plugin in plugins]


# Listing


def test_backends_are_listed_by_name_with_their_distribution(site: Any) -> None:
    site.install("zoo-store", backends={"zoo": "zoo_store:plugin", "ant": "zoo_store:ant"}, version="2.1")

    ant, memory, zoo = installed_backends()

    assert (ant.name, memory.name, zoo.name) == ("ant", "memory", "zoo")
    assert (zoo.group, zoo.distribution, zoo.version, zoo.value) == (
        "sessionkit.backends",
        "zoo-store",
        "2.1",
        "zoo_store:plugin",
    )
    assert memory.distribution == "sessionkit-core"


def test_extensions_are_listed_apart_from_backends(site: Any) -> None:
    site.install("both", backends={"store": "both:store"}, extensions={"trace": "both:trace"})

    assert names(installed_extensions()) == ["trace"]
    assert names(installed_backends()) == ["memory", "store"]


def test_listing_imports_no_plugin(site: Any) -> None:
    site.install("bomb", backends={"bomb": "bomb_module:plugin"}, modules={"bomb_module": "raise SystemExit"})

    installed_backends()

    assert "bomb_module" not in sys.modules


def test_an_entry_point_whose_name_is_no_name_is_ignored_with_a_warning(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site.install("odd", backends={"My_Store": "odd:plugin", "fine": "odd:plugin"})

    assert names(installed_backends()) == ["fine", "memory"]
    (message,) = caplog.messages
    assert message == (
        "ignoring the entry point 'My_Store' of odd 1.0 in the group sessionkit.backends: a name is lower-case "
        "letters, digits and single dashes, and begins with a letter"
    )


@pytest.mark.parametrize("name", ["a--b", "-a", "a-", "1a", "a.b", "a_b", "A"])
def test_names_have_one_form(site: Any, name: str) -> None:
    site.install("odd", backends={name: "odd:plugin"})

    assert names(installed_backends()) == ["memory"]


def test_unreadable_entry_points_of_one_distribution_hide_no_other(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.install("fine", backends={"fine": "fine:plugin"})
    site.install("spoilt", backends={"spoilt": "spoilt:plugin"})
    (site.directory / "spoilt-1.0.dist-info" / "entry_points.txt").write_bytes(b"[sessionkit.backends]\n\xff\xfe\n")
    refresh()

    assert "fine" in names(installed_backends())
    assert caplog.messages == ["ignoring the entry points of spoilt: they cannot be read (UnicodeDecodeError)"]


def test_a_distribution_without_metadata_is_called_unknown(site: Any) -> None:
    site.install("bare", backends={"bare": "bare:plugin"})
    (site.directory / "bare-1.0.dist-info" / "METADATA").unlink()
    refresh()

    bare = installed_backends()[0]

    assert (bare.name, bare.distribution, bare.version) == ("bare", "unknown", "unknown")


# Scanning


def test_distributions_are_scanned_once(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = []
    scan = importlib_metadata.entry_points
    monkeypatch.setattr(importlib_metadata, "entry_points", lambda: scans.append(1) or scan())  # type: ignore[func-returns-value]

    installed_backends()
    installed_extensions()
    load_backend("memory")

    assert len(scans) == 1


def test_threads_that_look_at_the_same_time_share_one_scan(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = []
    scan = importlib_metadata.entry_points
    start = threading.Barrier(8)
    monkeypatch.setattr(importlib_metadata, "entry_points", lambda: scans.append(1) or scan())  # type: ignore[func-returns-value]
    found = []

    def look() -> None:
        start.wait()
        found.append(load_backend("memory").name)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (found, len(scans)) == (["memory"] * 8, 1)


def test_what_is_installed_later_is_found_after_refresh(site: Any) -> None:
    installed_backends()
    info = site.directory / "late-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sessionkit.backends]\nlate = late:plugin\n")
    assert "late" not in names(installed_backends())

    refresh()

    assert "late" in names(installed_backends())


def test_importing_discovery_does_not_import_importlib_metadata() -> None:
    code = "import sys, sessionkit.plugins.discovery; print('importlib_metadata' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "False\n"


# Loading


def test_a_backend_is_loaded_with_where_it_comes_from(site: Any) -> None:
    site.install("zoo", backends={"zoo": "zoo_a:plugin"}, modules={"zoo_a": BACKEND}, version="3.2")

    loaded = load_backend("zoo")

    assert loaded.descriptor is sys.modules["zoo_a"].plugin
    assert (loaded.name, loaded.distribution, loaded.version, loaded.value) == ("zoo", "zoo", "3.2", "zoo_a:plugin")


def test_an_extension_is_loaded_from_its_own_group(site: Any) -> None:
    site.install("zoo", extensions={"memory": "zoo_b:plugin"}, modules={"zoo_b": EXTENSION})

    assert load_extension("memory").descriptor is sys.modules["zoo_b"].plugin
    assert load_backend("memory").distribution == "sessionkit-core"


def test_only_the_chosen_plugin_is_imported(site: Any) -> None:
    site.install("good", backends={"good": "good_c:plugin"}, modules={"good_c": BACKEND})
    site.install("broken", backends={"broken": "broken_c:plugin"}, modules={"broken_c": "raise RuntimeError"})

    load_backend("good")

    assert "broken_c" not in sys.modules


def test_a_plugin_is_loaded_once(site: Any) -> None:
    site.install("zoo", backends={"zoo": "zoo_d:plugin"}, modules={"zoo_d": BACKEND})
    first = load_backend("zoo")
    del sys.modules["zoo_d"]

    assert load_backend("zoo").descriptor is first.descriptor


def test_a_plugin_that_failed_to_load_is_tried_again(site: Any) -> None:
    source = "import sys\nif not hasattr(sys, '_zoo_e'):\n    sys._zoo_e = 1\n    raise OSError('not yet')\n"
    site.install("zoo", backends={"zoo": "zoo_e:plugin"}, modules={"zoo_e": source + BACKEND})
    try:
        with pytest.raises(PluginLoadError, match="not yet"):
            load_backend("zoo")

        assert load_backend("zoo").name == "zoo"
    finally:
        del sys._zoo_e  # type: ignore[attr-defined]


# Unknown names


def test_an_unknown_backend_says_where_it_was_said_what_was_meant_and_what_is_installed(site: Any) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_backend("memry", said="environment variable SESSIONKIT_BACKEND")

    assert str(error.value) == (
        "environment variable SESSIONKIT_BACKEND: no installed package offers the backend 'memry'; "
        "did you mean 'memory'? (installed: memory)"
    )
    assert isinstance(error.value, LookupError)


def test_an_unknown_backend_that_is_like_none_gets_no_proposal(site: Any) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_backend("xyz")

    assert str(error.value) == "argument: no installed package offers the backend 'xyz' (installed: memory)"


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("json", "sessionkit-json"),
        ("jsonl", "sessionkit-jsonl"),
        ("redis", "sessionkit-redis"),
        ("rediss", "sessionkit-redis"),
        ("valkey", "sessionkit-redis"),
        ("valkeys", "sessionkit-redis"),
    ],
)
def test_a_known_backend_that_is_not_installed_says_which_package_to_install(
    site: Any, name: str, package: str
) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_backend(name, said="/etc/bot/sessionkit.toml")

    assert str(error.value) == (
        f"/etc/bot/sessionkit.toml: the backend '{name}' is not installed; install the package {package} "
        f"(installed: memory)"
    )


def test_a_misspelt_known_backend_says_which_package_it_comes_with(site: Any) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_backend("redsi")

    assert str(error.value) == (
        "argument: no installed package offers the backend 'redsi'; did you mean 'redis', which comes with the "
        "package sessionkit-redis? (installed: memory)"
    )


def test_case_is_no_reason_not_to_be_understood(site: Any) -> None:
    with pytest.raises(UnknownBackendError, match="did you mean 'memory'"):
        load_backend("MEMORY")


def test_what_cannot_be_a_name_is_not_quoted(site: Any) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_backend("redis://:hunter2@host")

    assert str(error.value) == (
        "argument: a name of a backend is expected: lower-case letters, digits and single dashes (installed: memory)"
    )


def test_an_unknown_extension_says_so(site: Any) -> None:
    site.install("zoo", extensions={"trace": "zoo:plugin"})

    with pytest.raises(UnknownBackendError) as error:
        load_extension("tracer")

    assert str(error.value) == (
        "argument: no installed package offers the extension 'tracer'; did you mean 'trace'? (installed: trace)"
    )


def test_what_cannot_be_a_name_of_an_extension_is_not_quoted(site: Any) -> None:
    with pytest.raises(UnknownBackendError) as error:
        load_extension("a b")

    assert str(error.value) == (
        "argument: a name of an extension is expected: lower-case letters, digits and single dashes (installed: none)"
    )


# Two distributions with one name


def two(site: Any) -> None:
    site.install("alpha", backends={"twin": "twin_alpha:plugin"}, modules={"twin_alpha": BACKEND})
    site.install("beta", backends={"twin": "twin_beta:plugin"}, modules={"twin_beta": BACKEND}, version="2.0")


def test_a_name_that_two_distributions_offer_is_an_error_when_it_is_chosen(site: Any) -> None:
    two(site)

    with pytest.raises(DuplicatePluginError) as error:
        load_backend("twin")

    assert str(error.value) == (
        "argument: the backend 'twin' is offered by alpha 1.0 and beta 2.0; say which with "
        'distribution = "alpha" in [backends.twin], or uninstall the others'
    )


def test_a_name_that_two_distributions_offer_hurts_nobody_who_chose_another(site: Any) -> None:
    two(site)

    assert load_backend("memory").name == "memory"


@pytest.mark.parametrize("said", ["beta", "Beta"])
def test_saying_the_distribution_decides_whatever_its_spelling(site: Any, said: str) -> None:
    two(site)

    assert load_backend("twin", distribution=said).value == "twin_beta:plugin"


def test_extensions_name_their_own_table(site: Any) -> None:
    site.install("alpha", extensions={"twin": "a:b"})
    site.install("beta", extensions={"twin": "a:b"})

    with pytest.raises(DuplicatePluginError, match=r"in \[extension\.twin\]"):
        load_extension("twin")


def test_a_distribution_that_does_not_offer_the_name_is_an_error(site: Any) -> None:
    two(site)

    with pytest.raises(UnknownBackendError) as error:
        load_backend("twin", distribution="gamma")

    assert str(error.value) == (
        "argument: the distribution 'gamma' does not offer the backend 'twin'; it comes with alpha 1.0 and beta 2.0"
    )


def test_one_distribution_that_offers_a_name_twice_is_an_error(site: Any) -> None:
    site.install("alpha")
    (site.directory / "alpha-1.0.dist-info" / "entry_points.txt").write_text(
        "[sessionkit.backends]\ntwin = one:plugin\ntwin = two:plugin\n"
    )
    refresh()

    with pytest.raises(DuplicatePluginError) as error:
        load_backend("twin", distribution="alpha")

    assert str(error.value) == (
        "argument: alpha 1.0 offers the backend 'twin' twice, as one:plugin and two:plugin; report it to its authors"
    )


# Broken plugins


def broken(site: Any, source: str, module: str) -> PluginLoadError:
    site.install("zoo", backends={"zoo": f"{module}:plugin"}, modules={module: source})
    with pytest.raises(PluginLoadError) as error:
        load_backend("zoo")
    return error.value


def test_a_chosen_plugin_that_cannot_be_imported_names_all_that_is_known_of_it(site: Any) -> None:
    error = broken(site, "import no_such_module_at_all", "zoo_f")

    assert str(error) == (
        "argument: the backend 'zoo' cannot be loaded: the entry point zoo = zoo_f:plugin of zoo 1.0 "
        "(group sessionkit.backends) raised ModuleNotFoundError: No module named 'no_such_module_at_all'; "
        "reinstall or upgrade zoo"
    )
    assert isinstance(error.__cause__, ModuleNotFoundError)


def test_an_error_without_text_is_named_by_its_type(site: Any) -> None:
    assert "raised RuntimeError; reinstall" in str(broken(site, "raise RuntimeError", "zoo_g"))


def test_a_module_that_ends_the_program_is_a_broken_plugin(site: Any) -> None:
    assert isinstance(broken(site, "raise SystemExit(3)", "zoo_h").__cause__, SystemExit)


def test_a_missing_attribute_is_a_broken_plugin(site: Any) -> None:
    assert "has no attribute 'plugin'" in str(broken(site, "", "zoo_i"))


def test_a_value_that_points_nowhere_is_a_broken_plugin(site: Any) -> None:
    site.install("zoo", backends={"zoo": "not a reference"})

    with pytest.raises(PluginLoadError, match=r"zoo = not a reference of zoo 1\.0"):
        load_backend("zoo")


def test_something_else_than_a_descriptor_is_a_broken_plugin(site: Any) -> None:
    error = broken(site, "class plugin: pass", "zoo_j")

    assert str(error) == (
        "argument: the backend 'zoo' cannot be loaded: the entry point zoo = zoo_j:plugin of zoo 1.0 "
        "(group sessionkit.backends) names a type, not a BackendPlugin; upgrade zoo or report it to its authors"
    )


def test_an_extension_among_the_backends_is_a_broken_plugin(site: Any) -> None:
    assert "names a ExtensionPlugin, not a BackendPlugin" in str(broken(site, EXTENSION, "zoo_k"))


def test_options_that_are_no_attrs_class_are_a_broken_plugin(site: Any) -> None:
    source = BACKEND.replace("(factory", "(options=dict, factory")

    assert "has options that are not an attrs class" in str(broken(site, source, "zoo_l"))


def test_an_option_called_like_the_reserved_key_is_a_broken_plugin(site: Any) -> None:
    source = "import attrs\nOptions = attrs.make_class('Options', ['distribution'])\n" + BACKEND.replace(
        "(factory", "(options=Options, factory"
    )

    assert "has an option called distribution" in str(broken(site, source, "zoo_m"))


# The import name taken by somebody else


def test_a_foreign_package_that_overwrote_the_core_is_named_with_the_remedy(site: Any) -> None:
    site.install("sessionkit", version="9.9")

    error = broken(site, "from sessionkit import open_the_pod_bay_doors", "zoo_n")

    assert str(error).endswith(
        "; a foreign package, sessionkit 9.9, has overwritten files of sessionkit-core; uninstall sessionkit, then "
        "reinstall sessionkit-core (pip install --force-reinstall sessionkit-core)"
    )


@pytest.mark.parametrize("line", ["from sessionkit.plugins import nothing_of_this_name", "import sessionkit.nothing"])
def test_a_core_that_lacks_what_the_plugin_imports_is_named_with_the_remedy(site: Any, line: str) -> None:
    error = broken(site, line, f"zoo_o{len(line)}")

    assert str(error).endswith(
        "; the installed sessionkit-core lacks it: it is too old, or another package has overwritten or deleted its "
        "files; upgrade or reinstall it (pip install --upgrade --force-reinstall sessionkit-core)"
    )


def test_an_import_error_of_another_package_accuses_nobody(site: Any) -> None:
    site.install("sessionkit", version="9.9")

    assert "foreign" not in str(broken(site, "from json import nothing_of_this_name", "zoo_p"))


# Versions of the plugin API


def test_a_name_that_only_a_later_group_offers_says_what_to_upgrade(site: Any) -> None:
    site.install("zoo", groups={"sessionkit.backends.v2": {"zoo": "zoo:plugin"}}, version="5.0")

    with pytest.raises(PluginVersionError) as error:
        load_backend("zoo")

    assert str(error.value) == (
        "argument: the backend 'zoo' of zoo 5.0 is written for a later plugin API (entry-point group "
        "sessionkit.backends.v2, this core reads sessionkit.backends); upgrade sessionkit-core, or install an "
        "older zoo"
    )


def test_a_plugin_that_offers_both_versions_is_loaded_from_ours(site: Any) -> None:
    site.install(
        "zoo",
        backends={"zoo": "zoo_q:plugin"},
        groups={"sessionkit.backends.v2": {"zoo": "zoo_q:newer"}},
        modules={"zoo_q": BACKEND},
    )

    assert load_backend("zoo").value == "zoo_q:plugin"
    assert names(installed_backends()) == ["memory", "zoo"]


@pytest.mark.parametrize("version", [(1, 999), (2, 0)])
def test_a_plugin_for_a_newer_api_says_what_to_upgrade(site: Any, version: tuple[int, int]) -> None:
    module = f"zoo_r{version[1]}"
    source = BACKEND.replace("(factory", f"(api_version={version}, factory")
    site.install("zoo", backends={"zoo": f"{module}:plugin"}, modules={module: source})

    with pytest.raises(PluginVersionError) as error:
        load_backend("zoo")

    assert str(error.value) == (
        f"argument: the backend 'zoo' of zoo 1.0 is written for version {version[0]}.{version[1]} of the plugin API, "
        f"this core has {API_VERSION[0]}.{API_VERSION[1]}; upgrade sessionkit-core, or install an older zoo"
    )


# Listings with state


def test_try_load_answers_with_the_plugin_or_with_what_is_wrong(site: Any) -> None:
    site.install("good", backends={"good": "good_s:plugin"}, modules={"good_s": BACKEND})
    site.install("bad", backends={"bad": "bad_s:plugin"}, modules={"bad_s": "raise ValueError('spoilt')"})
    site.install("ext", extensions={"ext": "ext_s:plugin"}, modules={"ext_s": EXTENSION})
    bad, good, _ = installed_backends()

    assert isinstance(try_load(good), LoadedPlugin)
    assert isinstance(try_load(installed_extensions()[0]), LoadedPlugin)
    error = try_load(bad)
    assert isinstance(error, PluginLoadError)
    assert str(error).startswith("bad 1.0: the backend 'bad' cannot be loaded: the entry point bad = bad_s:plugin")


def test_a_broken_name_is_logged_once_for_each_scan(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.install("odd", backends={"Odd": "odd:plugin"})
    with caplog.at_level(logging.WARNING, "sessionkit.plugins"):
        installed_backends()
        installed_backends()

    assert len(caplog.messages) == 1
