"""kbuild's own layers: what the field names and Keras lacks."""
