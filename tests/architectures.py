"""Causal models of many architectures, tiny and with random weights: configurations by name."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transformers

from tests.random_models import TINY

WINDOW = 16
"""Tokens of a window: less than a long text of the tests, more than a short one."""

MIXED = {"moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2}
LATENT = {
    "q_lora_rank": 24, "kv_lora_rank": 16, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8,
    "v_head_dim": 12, "num_key_value_heads": 4, "head_dim": 8,
}  # fmt: skip
SMALL = {"vocab_size": 260, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
OLD = {**SMALL, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512}

Config = Callable[[], Any]


def of(kind: str, **further: Any) -> Config:
    """A configuration of a kind, of Llama's tiny shape where nothing else is said."""
    return lambda: getattr(transformers, f"{kind}Config")(**{**TINY, **further})


def own(kind: str, **said: Any) -> Config:
    """A configuration of a kind that has names of its own for its shape."""
    return lambda: getattr(transformers, f"{kind}Config")(**said)


ENGINE: dict[str, Config] = {
    "llama": of("Llama"),
    "gpt2": own("GPT2", **OLD),
    "gpt_neox": of("GPTNeoX"),
    "gpt_bigcode": own("GPTBigCode", **OLD),
    "qwen2": of("Qwen2"),
    "qwen3": of("Qwen3", head_dim=16),
    "qwen3_moe": of("Qwen3Moe", **MIXED),
    "olmo2": of("Olmo2"),
    "olmoe": of("Olmoe", num_experts=4, num_experts_per_tok=2),
    "granite": of("Granite"),
    "stablelm": of("StableLm"),
    "phi": of("Phi"),
    "opt": own("OPT", **SMALL, hidden_size=32, ffn_dim=64, num_hidden_layers=2,
               num_attention_heads=4, max_position_embeddings=512, word_embed_proj_dim=32),
    "cohere": of("Cohere"),
    "glm4": of("Glm4", head_dim=8),
    "smollm3": of("SmolLM3"),
    "gemma": of("Gemma", head_dim=16),
    "nemotron": of("Nemotron"),
    "seed_oss": of("SeedOss", head_dim=8),
    "apertus": of("Apertus"),
    "arcee": of("Arcee"),
    "helium": of("Helium", head_dim=8),
    "hunyuan": of("HunYuanDenseV1", head_dim=8),
    "ernie4_5": of("Ernie4_5"),
    "persimmon": of("Persimmon"),
    "bitnet": of("BitNet"),
    "ctrl": own("CTRL", **OLD, dff=64),
    "biogpt": of("BioGpt"),
    "mistral": of("Mistral", sliding_window=WINDOW),
    "mixtral": of("Mixtral", sliding_window=WINDOW, num_local_experts=4),
    "ministral": of("Ministral", sliding_window=WINDOW, head_dim=8),
    "phi3": of("Phi3", sliding_window=WINDOW),
    "starcoder2": of("Starcoder2", sliding_window=WINDOW),
    "qwen2_window": of("Qwen2", use_sliding_window=True, sliding_window=WINDOW,
                       max_window_layers=1),
    "cohere2": of("Cohere2", sliding_window=WINDOW, num_hidden_layers=4, head_dim=8),
    "olmo3": of("Olmo3", sliding_window=WINDOW, num_hidden_layers=4),
    "exaone4": of("Exaone4", sliding_window=WINDOW, num_hidden_layers=4,
                  sliding_window_pattern=4),
    "gemma2": of("Gemma2", sliding_window=WINDOW, head_dim=16, query_pre_attn_scalar=16,
                 attn_logit_softcapping=2.0, final_logit_softcapping=5.0),
    "gemma3": of("Gemma3Text", sliding_window=WINDOW, head_dim=16, num_hidden_layers=6,
                 query_pre_attn_scalar=16),
    "gemma3_images": lambda: transformers.Gemma3Config(
        text_config={**TINY, "sliding_window": WINDOW, "head_dim": 16, "num_hidden_layers": 6},
        vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
                       "num_attention_heads": 4, "image_size": 32, "patch_size": 16}),
    "gemma3n": of("Gemma3nText", sliding_window=WINDOW, head_dim=16, num_hidden_layers=4,
                  num_kv_shared_layers=2, intermediate_size=[64] * 4, laurel_rank=8,
                  vocab_size_per_layer_input=260, hidden_size_per_layer_input=16,
                  activation_sparsity_pattern=[0.0] * 4,
                  layer_types=["sliding_attention", "full_attention"] * 2),
    "vaultgemma": of("VaultGemma", sliding_window=WINDOW, head_dim=16, query_pre_attn_scalar=16,
                     attn_logit_softcapping=2.0),
    "gpt_oss": of("GptOss", sliding_window=WINDOW, head_dim=16, num_local_experts=4,
                  num_experts_per_tok=2),
    "granite_swa": of("GraniteSWA", sliding_window=WINDOW),
    "modernbert_decoder": of("ModernBertDecoder", local_attention=WINDOW),
    "deepseek_v2": of("DeepseekV2", **LATENT, n_routed_experts=4, num_experts_per_tok=2,
                      moe_intermediate_size=32, first_k_dense_replace=1, n_group=1,
                      topk_group=1),
    "deepseek_v3": of("DeepseekV3", **LATENT, n_routed_experts=4, num_experts_per_tok=2,
                      moe_intermediate_size=32, first_k_dense_replace=1, n_group=2,
                      topk_group=1, n_shared_experts=1),
    "minicpm3": of("MiniCPM3", **LATENT),
}  # fmt: skip
"""Those that the engine computes."""

ALONE: dict[str, Config] = {
    "llama4": of("Llama4Text", intermediate_size_mlp=64, num_local_experts=2, head_dim=8,
                 attention_chunk_size=WINDOW, num_hidden_layers=4, pad_token_id=0),
    "diffllama": of("DiffLlama"),
    "doge": of("Doge"),
    "dbrx": own("Dbrx", **SMALL, d_model=32, n_heads=4, n_layers=2, max_seq_len=512,
                attn_config={"kv_n_heads": 2, "rope_theta": 10000.0, "clip_qkv": 8},
                ffn_config={"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2}),
    "jetmoe": own("JetMoe", **SMALL, hidden_size=32, num_hidden_layers=2, num_key_value_heads=2,
                  kv_channels=8, intermediate_size=64, num_local_experts=4, num_experts_per_tok=2),
    "falcon": own("Falcon", **SMALL, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                  max_position_embeddings=512),
    "falcon_alibi": own("Falcon", **SMALL, hidden_size=32, num_hidden_layers=2,
                        num_attention_heads=4, alibi=True, max_position_embeddings=512),
    "bloom": own("Bloom", **SMALL, hidden_size=32, n_layer=2, n_head=4),
    "mpt": own("Mpt", **SMALL, d_model=32, n_heads=4, n_layers=2, max_seq_len=512),
    "gptj": own("GPTJ", **OLD, rotary_dim=4),
    "codegen": own("CodeGen", **OLD, rotary_dim=4, n_ctx=512),
    "gpt_neo": own("GPTNeo", **SMALL, hidden_size=32, num_layers=2, num_heads=4, window_size=WINDOW,
                   attention_types=[[["global", "local"], 1]], max_position_embeddings=512,
                   intermediate_size=64),
    "openai_gpt": own("OpenAIGPT", **OLD),
    "xglm": own("XGLM", **SMALL, d_model=32, ffn_dim=64, num_layers=2, attention_heads=4,
                max_position_embeddings=512),
    "mamba": own("Mamba", **SMALL, hidden_size=32, num_hidden_layers=2, state_size=8,
                 use_mambapy=False),
    "mamba2": own("Mamba2", **SMALL, hidden_size=32, num_hidden_layers=2, state_size=8, head_dim=8,
                  num_heads=8, n_groups=2, chunk_size=16),
    "falcon_mamba": own("FalconMamba", **SMALL, hidden_size=32, num_hidden_layers=2, state_size=8),
    "rwkv": own("Rwkv", **SMALL, hidden_size=32, attention_hidden_size=32, num_hidden_layers=2,
                intermediate_size=64, context_length=512),
    "xlstm": own("xLSTM", **SMALL, hidden_size=32, embedding_dim=32, num_heads=4, num_blocks=2,
                 num_hidden_layers=2, qk_dim_factor=0.5),
    "jamba": of("Jamba", num_experts=2, mamba_d_state=8, mamba_d_conv=4, attn_layer_period=2,
                attn_layer_offset=1, expert_layer_period=2, expert_layer_offset=1,
                use_mamba_kernels=False, mamba_dt_rank=4),
    "bamba": of("Bamba", mamba_n_heads=8, mamba_d_head=8, mamba_d_state=8, mamba_n_groups=1,
                attn_layer_indices=[1], mamba_chunk_size=16),
    "zamba2": of("Zamba2", num_hidden_layers=3, hybrid_layer_ids=[1], mamba_d_state=8,
                 n_mamba_heads=8, mamba_headdim=8, num_mem_blocks=1, mamba_ngroups=1,
                 layers_block_type=["mamba", "hybrid", "mamba"], chunk_size=16, adapter_rank=8),
    "falcon_h1": of("FalconH1", mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8,
                    mamba_chunk_size=16, head_dim=8),
    "granitemoehybrid": of("GraniteMoeHybrid", mamba_n_heads=8, mamba_d_head=8, mamba_d_state=8,
                           layer_types=["mamba", "attention"], num_local_experts=2,
                           num_experts_per_tok=1, shared_intermediate_size=32,
                           mamba_chunk_size=16),
    "lfm2": of("Lfm2", layer_types=["conv", "full_attention"]),
    "qwen3_next": of("Qwen3Next", **MIXED, head_dim=16, linear_num_value_heads=4,
                     linear_num_key_heads=2, linear_key_head_dim=8, linear_value_head_dim=8,
                     shared_expert_intermediate_size=32,
                     layer_types=["linear_attention", "full_attention"]),
    "qwen3_5": of("Qwen3_5Text", head_dim=16, linear_num_value_heads=4, linear_num_key_heads=2,
                  linear_key_head_dim=8, linear_value_head_dim=8,
                  layer_types=["linear_attention", "full_attention"]),
    "minimax": of("MiniMax", num_local_experts=2, block_size=16, head_dim=8,
                  layer_types=["linear_attention", "full_attention"]),
    "recurrent_gemma": of("RecurrentGemma", head_dim=8, lru_width=32, num_hidden_layers=3,
                          attention_window_size=WINDOW,
                          block_types=["recurrent", "recurrent", "attention"]),
    "olmo_hybrid": of("OlmoHybrid"),
    "nemotron_h": of("NemotronH", mamba_num_heads=4, mamba_head_dim=8, n_groups=1,
                     ssm_state_size=8, chunk_size=16, head_dim=8, moe_intermediate_size=16,
                     n_routed_experts=2, num_experts_per_tok=1),
    "gemma4": of("Gemma4Text", sliding_window=WINDOW, head_dim=8, global_head_dim=16,
                 vocab_size_per_layer_input=260, hidden_size_per_layer_input=16,
                 num_hidden_layers=4, num_kv_shared_layers=0,
                 layer_types=["sliding_attention", "full_attention"] * 2),
    "roberta_decoder": of("Roberta", is_decoder=True),
}  # fmt: skip
"""Those that are run a text at a time."""

REFUSED: dict[str, Config] = {
    "reformer": own("Reformer", is_decoder=True, **SMALL),
    "bert": of("Bert"),
    "xlnet": own("XLNet", **SMALL, d_model=32, n_layer=2, n_head=4, d_inner=64),
}  # fmt: skip
"""Those that are not causal, or draw at random."""
