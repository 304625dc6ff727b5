"""A promotion as a saga: steps that are checked, done, verified and undone, with a journal that survives any kill."""
