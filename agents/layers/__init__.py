"""What a model's layers compute in the engine in place of transformers': attention, experts."""
