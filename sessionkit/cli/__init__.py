"""The ``sessionkit`` command. It needs the extra ``cli``; nothing else in the package imports it."""
