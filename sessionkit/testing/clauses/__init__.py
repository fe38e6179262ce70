"""The clauses of the contract, by subject. Each is one pytest item, named for what it demands."""
