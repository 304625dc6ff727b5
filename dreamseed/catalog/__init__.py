"""Facts with source and date: images, model shapes, provider limits."""
