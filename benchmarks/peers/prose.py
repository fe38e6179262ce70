"""What the page says whatever the figures are."""

from typing import Final

INTRODUCTION: Final = """# Measured against what else keeps conversations

<!-- benchmarks/bench_peers.py writes this page and its pictures: change it there. -->

The same work, done by sessionkit and by the stores that other frameworks bring, in one run on one machine. Figures
compare only at equal durability: who does not wait for the disk is faster, and loses what it said was kept when the
power goes. So each table is in groups, by what was counted and not by what is promised.
"""

HOW: Final = """## How it was measured

Each contender works in processes of its own, in an environment of its own, on its own directory; those on Redis use
one Valkey server, by a Unix socket, which syncs its log before it answers. Everything is set up as the documentation
of each shows it. Messages are made before and compared after: what is timed are the calls of the store.

- **Replay**: conversations of an agent with tools, message by message. The whole history is read before each answer of
  the model, then the message is stored. The figure is a message's share of that.
- **Append at N**: one message to a session of N. A session of 10 soon has more: ten sessions have a few appends each.
- **Turn at N**: read the last 20, append user, assistant, tool, assistant one after the other, save.
- **Read**: the same process reads the whole session again and again, as an agent does. The jsonl backend keeps decoded
  what it read before; SimpleChatStore and nanobot have the whole history in memory anyway.
- **First open and read**: a process that has seen nothing opens the session of 10,000 and reads all of it.
  **New process**: the same with the import of the library.
- **8 threads** have a session each; **4 processes** have one each, or all one, in the same directory or database.

Who has no call for the last messages reads all. agno keeps runs: each message is one here, so that it is kept at once.
llama_index's SimpleChatStore is persisted after each message, with a file for each conversation; it has an older
pydantic, since it cannot be persisted with 2.14. nanobot syncs only on request: both ways are shown. The `json` backend
of sessionkit has `autosave` on. Asynchronous libraries are called in a running loop. Contenders work one after the
other: a bare write and sync is measured before each, and told below.

Each piece of work has a limit of time. Who is slower has fewer repetitions, and some do not get to the long
histories: this is told above.

```bash no-run: it installs gigabytes, and takes up to 40 minutes
python -m pip install matplotlib ./plugins/json ./plugins/jsonl "./plugins/redis[embedded]" .
python benchmarks/bench_peers.py run --envs peers-envs -o results.json
python benchmarks/bench_peers.py run --envs peers-envs --fast -o results.json
python benchmarks/bench_peers.py page results.json
```
"""
