"""A fake Backblaze B2: the native API's buckets and application keys over HTTP, with kept state."""
