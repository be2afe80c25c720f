"""The kinds of models that are trained here, computed without transformers and to the same bits."""
