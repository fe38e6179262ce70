"""``sessionkit demo``: an agent, a second process and a second backend, in a second or two."""
