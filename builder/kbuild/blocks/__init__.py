"""The block library, a YAML file for each block in the language of specs: `mlp`, `conv_pool`, `residual`, `bottleneck`,
`dense_block`, `mb_conv`, `squeeze_excite`, `inception`, `self_attention`, `transformer_encoder`, `vgg_head`.
"""
