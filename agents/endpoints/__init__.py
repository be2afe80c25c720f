"""Models behind OpenAI-compatible servers: asked in text, over HTTP, from this process."""
