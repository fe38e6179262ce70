"""Plugin projects outside the repository, installed with pip: found and used by name and by URL, and isolated."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

BACKEND = """
import attrs
from sessionkit import BackendPlugin, hookimpl, option, read_path
from sessionkit.memory import MemoryBackend

@attrs.frozen(kw_only=True)
class Options:
    greeting: str = option(default="", help="what the first message of a session says")
    path: str = option(default="nowhere")

class AcmeBackend(MemoryBackend):
    def __init__(self, options):
        super().__init__()
        self.options = options

    @hookimpl
    def sessionkit_add_messages(self, key, messages, write_id):
        greeted = [message.evolve(greeting=self.options.greeting) for message in messages]
        return super().sessionkit_add_messages(key, greeted, write_id)

plugin = BackendPlugin(options=Options, factory=AcmeBackend, read_url=read_path)
"""

REQUIRING = """
import attrs
from sessionkit import BackendPlugin, option
from sessionkit.memory import MemoryBackend

@attrs.frozen(kw_only=True)
class Options:
    server: str = option(help="where the server is")

plugin = BackendPlugin(options=Options, factory=lambda options: MemoryBackend())
"""

HALF = """
from sessionkit import Backend, BackendPlugin, hookimpl

class Half(Backend):
    @hookimpl
    def sessionkit_delete_session(self, key):
        return False

plugin = BackendPlugin(factory=lambda options: Half())
"""

TYPO = """
from sessionkit import BackendPlugin, hookimpl
from sessionkit.memory import MemoryBackend

class Typo(MemoryBackend):
    @hookimpl
    def sessionkit_get_histroy(self, key):
        return []

plugin = BackendPlugin(factory=lambda options: Typo())
"""


def project(folder: Path, name: str, version: str, code: str, group: str, *entries: str) -> Path:
    """A plugin project of one module."""
    module = name.replace("-", "_")
    folder = folder / name
    folder.mkdir()
    lines = "\n".join(f'{entry} = "{module}:plugin"' for entry in entries)
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(
            """\
            [build-system]
            requires = ["hatchling>=1.27"]
            build-backend = "hatchling.build"
            [project]
            name = "{name}"
            version = "{version}"
            dependencies = ["sessionkit-core"]
            [project.entry-points."{group}"]
            {lines}
            [tool.hatch.build.targets.wheel]
            include = ["{module}.py"]
            """
        ).format(name=name, version=version, group=group, lines=lines, module=module),
        "utf-8",
    )
    (folder / f"{module}.py").write_text(code, "utf-8")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the core and some plugins of other people's."""
    folder = tmp_path_factory.mktemp("third-party")
    backends = "sessionkit.backends"
    projects = [
        project(folder, "acme-sessions", "1.2.3", BACKEND, backends, "acme"),
        project(folder, "broken-sessions", "0.9", "raise RuntimeError('bad build')", backends, "broken"),
        project(folder, "one-twin", "1.0", BACKEND, backends, "twin"),
        project(folder, "other-twin", "2.0", BACKEND, backends, "twin"),
        project(folder, "requiring-sessions", "1.0", REQUIRING, backends, "requiring"),
        project(folder, "half-sessions", "1.0", HALF, backends, "half"),
        project(folder, "typo-sessions", "1.0", TYPO, backends, "typo"),
        project(folder, "future-sessions", "3.0", BACKEND, "sessionkit.backends.v2", "future"),
    ]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    result = subprocess.run(
        [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", ROOT, *projects],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def python(environment: Path, program: str, **variables: str) -> str:
    """What a program prints in the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "PYTHON"))}
    result = subprocess.run(
        [environment / "venv" / "bin" / "python", "-W", "error", "-c", textwrap.dedent(program)],
        cwd=environment,
        env=kept | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def error(environment: Path, source: str, **variables: str) -> str:
    """The error of opening a store: its type, its text and the type of its cause."""
    return python(
        environment,
        f"""
        import sessionkit
        try:
            sessionkit.open_store({source})
        except sessionkit.SessionKitError as error:
            print(f"{{type(error).__name__}}: {{error}} <- {{type(error.__cause__).__name__}}")
        """,
        **variables,
    )


TALK = """
import sessionkit
with sessionkit.open_store({source}) as store:
    store.add_message("k", "user", "hello")
    print(store, store.get_history("k")[0].to_dict())
"""


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("'acme:?greeting=hi'", {}),
        ("{'backend': 'acme', 'backends': {'acme': {'greeting': 'hi'}}}", {}),
        ("", {"SESSIONKIT_BACKEND": "acme", "SESSIONKIT_ACME__GREETING": "hi"}),
        ("", {"SESSIONKIT_URL": "acme:some/path?greeting=hi"}),
    ],
)
def test_an_installed_plugin_is_usable_by_name_and_by_url(
    environment: Path, source: str, variables: dict[str, str]
) -> None:
    assert python(environment, TALK.format(source=source), **variables) == (
        "<SessionStore on 'acme'> {'role': 'user', 'content': 'hello', 'greeting': 'hi'}"
    )


def test_a_broken_plugin_that_is_not_chosen_is_never_imported(environment: Path) -> None:
    program = TALK.format(source="'acme:'") + "\nimport sys\nprint('broken_sessions' in sys.modules)"
    assert python(environment, program).endswith("False")


def test_a_broken_plugin_that_is_chosen_names_entry_point_distribution_version_and_cause(environment: Path) -> None:
    assert error(environment, "'broken:'") == (
        "PluginLoadError: argument: the backend 'broken' cannot be loaded: the entry point broken = "
        "broken_sessions:plugin of broken-sessions 0.9 (group sessionkit.backends) raised RuntimeError: bad build; "
        "reinstall or upgrade broken-sessions <- RuntimeError"
    )


def test_two_distributions_with_one_name_are_an_error_that_names_both(environment: Path) -> None:
    assert error(environment, "'twin:'") == (
        "DuplicatePluginError: argument: the backend 'twin' is offered by one-twin 1.0 and other-twin 2.0; say which "
        'with distribution = "one-twin" in [backends.twin], or uninstall the others <- NoneType'
    )


def test_the_distribution_key_decides_between_two(environment: Path) -> None:
    source = "{'backend': 'twin', 'backends': {'twin': {'distribution': 'other-twin', 'greeting': 'hi'}}}"
    assert python(environment, TALK.format(source=source)).startswith("<SessionStore on 'twin'>")


def test_a_misspelt_backend_says_what_was_meant_and_what_is_installed(environment: Path) -> None:
    assert error(environment, "'acne:'") == (
        "UnknownBackendError: argument: no installed package offers the backend 'acne'; did you mean 'acme'? "
        "(installed: acme, broken, half, memory, requiring, twin, typo) <- NoneType"
    )


def test_a_backend_that_this_project_offers_says_which_package_to_install(environment: Path) -> None:
    assert error(environment, "'jsonl:x'") == (
        "UnknownBackendError: argument: the backend 'jsonl' is not installed; install the package sessionkit-jsonl "
        "(installed: acme, broken, half, memory, requiring, twin, typo) <- NoneType"
    )


def test_a_misspelt_option_says_what_was_meant(environment: Path) -> None:
    assert error(environment, "'acme:?greting=hi'") == (
        "ConfigError: argument: unknown key backends.acme.greting; did you mean 'greeting'? "
        "(options: greeting, path) <- NoneType"
    )


def test_a_wrong_type_says_what_is_allowed(environment: Path) -> None:
    assert error(environment, "{'backend': 'acme', 'backends': {'acme': {'greeting': 5}}}") == (
        "ConfigError: argument: backends.acme.greeting is 5; allowed: text <- NoneType"
    )


def test_a_missing_required_option_says_how_to_say_it(environment: Path) -> None:
    assert error(environment, "'requiring:'") == (
        "ConfigError: the backend requiring needs the option server (where the server is), and nothing says it; "
        "say backends.requiring.server in sessionkit.toml, or set SESSIONKIT_REQUIRING__SERVER <- NoneType"
    )


def test_an_unknown_extension_says_what_is_installed(environment: Path) -> None:
    assert error(environment, "'acme:', extensions=['otel']") == (
        "UnknownBackendError: argument: no installed package offers the extension 'otel' (installed: none) <- NoneType"
    )


def test_a_plugin_for_another_api_version_says_what_to_upgrade(environment: Path) -> None:
    assert error(environment, "'future:'") == (
        "PluginVersionError: argument: the backend 'future' of future-sessions 3.0 is written for a later plugin API "
        "(entry-point group sessionkit.backends.v2, this core reads sessionkit.backends); upgrade sessionkit-core, "
        "or install an older future-sessions <- NoneType"
    )


def test_a_misspelt_hook_says_what_was_meant(environment: Path) -> None:
    assert error(environment, "'typo:'") == (
        "PluginLoadError: backend 'typo': sessionkit_get_histroy is no hook; sessionkit_get_history was probably "
        "meant <- NoneType"
    )


def test_a_backend_that_lacks_required_hooks_names_them(environment: Path) -> None:
    assert error(environment, "'half:'") == (
        "PluginLoadError: backend 'half' does not implement sessionkit_add_messages, sessionkit_get_history, "
        "sessionkit_get_session, sessionkit_list_sessions, sessionkit_truncate_history, sessionkit_update_session "
        "<- NoneType"
    )
