"""Text to tokens and back: tokenizers, control tokens, and chat templates."""
