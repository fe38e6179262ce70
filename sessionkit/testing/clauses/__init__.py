"""The clauses of the contract, by subject. Each is one pytest item, named for what it demands."""

from __future__ import annotations

from pkgutil import iter_modules

import pytest

for _module in iter_modules(__path__):  # so that a clause that fails shows the values that it compared
    pytest.register_assert_rewrite(f"{__name__}.{_module.name}")
