"""kbuild's own optimizers: what the field names and Keras lacks."""
